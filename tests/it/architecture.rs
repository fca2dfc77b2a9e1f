//! The layers: imports go one way, the domain is pure, nothing is longer than it may be.

use std::{fs, path::Path};

/// Each module with those that it may import from this crate.
const LAYERS: &[(&str, &[&str])] = &[
    ("clock", &[]),
    ("crash", &[]),
    ("entra", &["http"]),
    ("hash", &[]),
    ("http", &[]),
    ("meters", &[]),
    ("telemetry", &["http", "trace"]),
    ("trace", &[]),
    ("simulator", &["clock"]),
    ("domain", &[]),
    ("config", &[]),
    ("templates", &["domain"]),
    ("pages", &["domain", "templates"]),
    ("identity", &["clock", "domain", "entra", "http"]),
    ("mail", &["crash", "domain"]),
    ("marketplace", &["clock", "crash", "domain", "entra", "http", "meters", "trace"]),
    ("signing", &["crash", "domain", "entra", "http"]),
    ("store", &["clock", "crash", "domain", "hash", "meters", "trace"]),
    (
        "app",
        &[
            "clock",
            "domain",
            "hash",
            "identity",
            "mail",
            "marketplace",
            "meters",
            "pages",
            "signing",
            "store",
            "templates",
            "trace",
        ],
    ),
    ("jobs", &["app", "clock", "domain", "store", "trace"]),
    (
        "web",
        &[
            "app",
            "clock",
            "domain",
            "identity",
            "mail",
            "marketplace",
            "meters",
            "pages",
            "signing",
            "store",
            "templates",
            "trace",
        ],
    ),
    (
        "startup",
        &[
            "app",
            "clock",
            "config",
            "domain",
            "entra",
            "http",
            "identity",
            "jobs",
            "mail",
            "marketplace",
            "meters",
            "pages",
            "signing",
            "store",
            "templates",
            "web",
        ],
    ),
    (
        "doctor",
        &[
            "app",
            "clock",
            "config",
            "domain",
            "http",
            "identity",
            "mail",
            "marketplace",
            "pages",
            "signing",
            "startup",
            "store",
            "templates",
        ],
    ),
    (
        "cli",
        &[
            "app",
            "clock",
            "config",
            "doctor",
            "domain",
            "hash",
            "http",
            "jobs",
            "signing",
            "simulator",
            "startup",
            "store",
            "telemetry",
            "web",
        ],
    ),
];

/// Every source file with its text, tests left out.
fn sources() -> Vec<(String, String)> {
    let mut found = Vec::new();
    walk(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), &mut found);
    assert!(found.len() > 50, "the sources were not found");
    found
}

fn walk(directory: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let root = concat!(env!("CARGO_MANIFEST_DIR"), "/src/");
            let name = path.display().to_string().trim_start_matches(root).to_owned();
            found.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
}

fn module_of(file: &str) -> &str {
    file.split('/').next().unwrap().trim_end_matches(".rs")
}

/// The modules that a text names after `crate::`, in single paths and in groups.
fn imports(text: &str) -> Vec<String> {
    let code: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let mut found = Vec::new();
    for rest in code.split("crate::").skip(1) {
        match rest.strip_prefix('{') {
            Some(group) => {
                let mut depth = 0_i32;
                let mut word = String::new();
                for character in group.chars() {
                    match character {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' if depth == 0 => word.clear(),
                        ':' if depth == 0 && !word.is_empty() => found.push(std::mem::take(&mut word)),
                        letter if depth == 0 && (letter.is_alphanumeric() || letter == '_') => word.push(letter),
                        _ => {}
                    }
                }
            }
            None => found.push(rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()),
        }
    }
    found
}

#[test]
fn imports_go_one_way() {
    let modules: Vec<&str> = LAYERS.iter().map(|(module, _)| *module).collect();
    let mut wrong = Vec::new();
    for (file, text) in sources() {
        let module = module_of(&file);
        if matches!(module, "lib" | "main") {
            continue;
        }
        let allowed = LAYERS.iter().find(|(name, _)| *name == module);
        let allowed = allowed.unwrap_or_else(|| panic!("{module} has no line in LAYERS")).1;
        for import in imports(&text) {
            let own = import == module || !modules.contains(&import.as_str());
            if !own && !allowed.contains(&import.as_str()) {
                wrong.push(format!("src/{file} imports {import}"));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn the_reader_of_imports_sees_groups() {
    let text = "use crate::{\n    app::App,\n    domain::{money::Amount, time},\n};\nuse crate::store::Store;";
    assert_eq!(imports(text), ["app", "domain", "store"]);
}

#[test]
fn the_domain_is_pure() {
    for (file, text) in sources().into_iter().filter(|(file, _)| file.starts_with("domain/")) {
        for word in [".await", "async fn", "std::fs", "std::env", "std::net", "sea_orm", "actix", "reqwest"] {
            let code = text.lines().filter(|line| !line.trim_start().starts_with("//")).any(|line| line.contains(word));
            assert!(!code, "src/{file} contains {word}");
        }
    }
}

/// A line without what stands between two marks, and without the marks.
fn without(line: &str, begin: &str, end: &str) -> String {
    let Some((before, rest)) = line.split_once(begin) else { return line.to_owned() };
    format!("{before}{}", rest.split_once(end).map_or("", |(_, after)| after))
}

/// Whether a float literal stands in a line of code: digits with a point and digits behind it, or with an exponent. A version,
/// a price or a time in a text is none, nor is a field of a field or the fraction of a second in a `datetime!`.
fn has_float_literal(line: &str) -> bool {
    let line = without(&without(line, "datetime!(", ")"), "r#\"", "\"#").replace("\\\"", "");
    let code: String = line.split('"').step_by(2).collect::<Vec<_>>().join(" ");
    let words = code.split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.')));
    words.filter(|word| word.starts_with(|c: char| c.is_ascii_digit()) && !word.contains("..")).any(|word| {
        let after = word.trim_start_matches(|c: char| c.is_ascii_digit() || c == '_');
        let mut rest = after.chars();
        match rest.next() {
            Some('.') => rest.next().is_none_or(|c| c.is_ascii_digit()),
            Some('e' | 'E') => rest.next().is_none_or(|c| c.is_ascii_digit()),
            _ => false,
        }
    })
}

#[test]
fn the_reader_of_floats_sees_literals() {
    for line in [
        "let x = 1.5;",
        "(datetime!(2026-02-14 10:30 UTC), 1.5)",
        "f(2.5)",
        "x * 1_000.0",
        "1e6",
        "3e-2 + y",
        "let x = 2.;",
    ] {
        assert!(has_float_literal(line), "{line}");
    }
    for line in [
        "\"12.50\".parse()",
        "pair.0.1",
        "1..=6",
        "0..2",
        "10_u32.pow(2)",
        "0x1e5",
        "7.max(x)",
        "date!(2026 - 01 - 15)",
        "datetime!(2026-02-14 10:30:14.5 UTC)",
    ] {
        assert!(!has_float_literal(line), "{line}");
    }
}

#[test]
fn money_is_never_a_binary_float() {
    let mut files: Vec<_> = sources().into_iter().filter(|(file, _)| file.starts_with("domain/")).collect();
    let of_domain = files.len();
    walk(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/src")), &mut files);
    assert!(of_domain > 20 && files.len() > of_domain, "the sources were not found");
    for (file, text) in files {
        for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
            let code = line.split(" // ").next().unwrap();
            assert!(!has_float_literal(code), "{file} has a float: {line}");
            assert!(!code.contains("f32") && !code.contains("f64"), "{file} has a float: {line}");
        }
    }
}

#[test]
fn files_stay_short() {
    for (file, text) in sources() {
        assert!(text.lines().count() <= 500, "src/{file} has {} lines", text.lines().count());
    }
}
