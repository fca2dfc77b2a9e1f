use super::*;

#[test]
fn every_template_renders_every_sample() {
    check(&Templates::load(None).unwrap()).unwrap();
}
