//! Puts the templates into the program.

use std::{env, fs, io, path::Path};

fn main() -> io::Result<()> {
    minijinja_embed::embed_templates!("templates", &[".html", ".txt"][..]);
    let folder = env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?;
    sort(&Path::new(&folder).join("minijinja_templates_main.rs"))
}

/// The templates come in the order of the file system, one in a line; the program would depend on it.
fn sort(generated: &Path) -> io::Result<()> {
    let text = fs::read_to_string(generated)?;
    let mut lines: Vec<&str> = text.lines().collect();
    if let [_, templates @ .., _] = lines.as_mut_slice() {
        templates.sort_unstable();
    }
    fs::write(generated, lines.join("\n"))
}
