//! The files below `deploy/` fit the program: every setting that they name is one that it has.

use std::{collections::BTreeMap, fs, path::Path};

use seatkey::config;

/// What the files name has to have a value of the right kind; the rest may be any text.
fn example_of(name: &str) -> &'static str {
    match name {
        "SEATKEY__SERVER__BIND" => "0.0.0.0:8080",
        "SEATKEY__SERVER__MANAGEMENT_BIND" => "0.0.0.0:8081",
        "SEATKEY__ENTRA__CREDENTIAL__KIND" => "client_secret",
        "SEATKEY__DATABASE__PASSWORD_FROM" => "entra",
        name if name.ends_with("_SECONDS") => "10",
        name if name.ends_with("_EXPIRES") => "2027-06-30",
        name if name.ends_with("__MAIL__URL") => "smtps://mail.example",
        name if name.ends_with("_URL") => "https://licenses.example",
        name if name.ends_with("TENANT_ID") || name.ends_with("APPLICATION_ID") || name.ends_with("__CLIENT_ID") => {
            "7c1f8b7a-3a55-4f0e-8d0b-5a0e5c1d2b33"
        }
        _ => "any",
    }
}

/// The settings that a file names as environment variables, each with an example.
fn settings_in(path: &Path) -> BTreeMap<String, String> {
    let text = fs::read_to_string(path).unwrap();
    let of_a_name = |letter: char| letter.is_ascii_uppercase() || letter == '_';
    let names = text.split(|letter| !of_a_name(letter)).filter(|word| word.starts_with("SEATKEY__"));
    let whole = names.filter(|name| name.split("__").count() > 2);
    whole.map(|name| (name.to_owned(), example_of(name).to_owned())).collect()
}

fn load(file: Option<&str>, environment: &BTreeMap<String, String>) -> Result<config::Config, String> {
    let text = file.map(|path| fs::read_to_string(path).unwrap()).unwrap_or_default();
    let environment = environment.iter().map(|(name, value)| (name.clone(), value.clone()));
    config::from_toml(&text, environment).map_err(|error| error.to_string())
}

#[test]
fn every_file_of_deploy_is_a_configuration_that_the_program_takes() {
    let compose = "deploy/compose.yaml";
    let production = "deploy/kubernetes/overlays/production/kustomization.yaml";
    let cases: [(Option<&str>, &[&str]); 4] = [
        (Some("deploy/seatkey.example.toml"), &[]),
        (Some("deploy/seatkey.compose.toml"), &[compose]),
        (Some("deploy/kubernetes/base/seatkey.toml"), &["deploy/kubernetes/base/serve.yaml", production]),
        (None, &["deploy/azure/modules/apps.bicep"]),
    ];
    for (file, others) in cases {
        let environment = others.iter().flat_map(|path| settings_in(Path::new(path))).collect();
        let config = load(file, &environment).unwrap_or_else(|error| panic!("{file:?} with {others:?}: {error}"));
        let address = config.server.management_bind;
        assert_ne!(address, config.server.bind, "{file:?}: management has an address of its own");
    }
}

#[test]
fn a_setting_that_the_program_does_not_have_is_noticed() {
    let mut environment = settings_in(Path::new("deploy/azure/modules/apps.bicep"));
    assert!(environment.len() > 12, "{environment:?}");
    environment.insert("SEATKEY__DATABASE__COLOUR".to_owned(), "blue".to_owned());
    assert!(load(None, &environment).unwrap_err().contains("colour"));
}

#[test]
fn the_catalog_of_kubernetes_is_in_order() {
    let path = "deploy/kubernetes/base/catalog.toml";
    let catalog = seatkey::domain::catalog::Catalog::from_toml(path, &fs::read_to_string(path).unwrap());
    assert!(catalog.is_ok_and(|(catalog, warnings)| catalog.offers.len() == 1 && warnings.is_empty()));
}
