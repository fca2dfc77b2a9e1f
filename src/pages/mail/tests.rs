//! Every mail in every language: what its text looks like, and what it must never say.

use std::sync::LazyLock;

use super::{life_samples, *};
use crate::pages::samples;

fn templates() -> Templates {
    Templates::load(None).unwrap()
}

/// A finished sample, and the values that it was made from.
struct Told {
    language: String,
    name: String,
    values: String,
    mail: Rendered,
}

type Add<'a> = &'a mut dyn FnMut(&str, serde_json::Value, Rendered);

fn of_kind<M: Mail>(templates: &Templates, language: &Language, add: Add<'_>) {
    for sample in M::samples() {
        add(M::NAME, serde_json::to_value(&sample).unwrap(), sample.render(templates, language).unwrap());
    }
}

static EVERYTHING: LazyLock<Vec<Told>> = LazyLock::new(|| {
    let templates = templates();
    let mut all = Vec::new();
    for language in Language::all(&templates) {
        let mut add = |name: &str, values: serde_json::Value, mail: Rendered| {
            let language = language.as_str().to_owned();
            all.push(Told { language, name: name.to_owned(), values: values.to_string(), mail });
        };
        of_kind::<Welcome>(&templates, &language, &mut add);
        of_kind::<Ask>(&templates, &language, &mut add);
        of_kind::<TrialKey>(&templates, &language, &mut add);
        of_kind::<TrialKeyEnds>(&templates, &language, &mut add);
        of_kind::<TrialReminder>(&templates, &language, &mut add);
        for sample in life_samples::samples(&language) {
            add(sample.name(), serde_json::to_value(&sample).unwrap(), sample.render(&templates).unwrap());
        }
    }
    all
});

#[test]
fn every_mail_exists_in_both_languages() {
    let count = |language: &str| EVERYTHING.iter().filter(|told| told.language == language).count();
    assert!(count("en") > 150, "only {} samples", count("en"));
    assert_eq!(count("en"), count("de"));
}

#[test]
fn texts_have_lines_of_72_columns_and_subjects_one_line() {
    for Told { name, mail, language, .. } in EVERYTHING.iter() {
        assert!(!mail.subject.contains('\n') && !mail.subject.is_empty(), "{language} {name}: {:?}", mail.subject);
        assert!(mail.subject.chars().count() <= MAX_SUBJECT, "{language} {name}: {}", mail.subject);
        for line in mail.text.lines().filter(|line| line.contains(' ')) {
            assert!(line.chars().count() <= 72, "{language} {name}, too wide: {line}");
        }
    }
}

#[test]
fn a_long_subject_is_cut() {
    assert_eq!(header("one\r\nBcc: two"), "one Bcc: two");
    assert_eq!(header(&"ü".repeat(120)), "ü".repeat(120));
    assert_eq!(header(&"ü".repeat(121)), "ü".repeat(119) + "…");
}

#[test]
fn a_key_stands_in_one_line_of_its_own_and_only_where_there_is_one() {
    for Told { name, values, mail, .. } in EVERYTHING.iter() {
        let has_key = values.contains(samples::KEY);
        assert_eq!(mail.text.contains(&format!("\n{}\n", samples::KEY)), has_key, "{name}:\n{}", mail.text);
        assert_eq!(mail.html.contains(samples::KEY), has_key, "{name}");
    }
}

#[test]
fn no_mail_of_a_reseller_deal_holds_or_shows_an_amount() {
    let deals: Vec<_> = EVERYTHING.iter().filter(|told| told.values.contains("\"reseller\":true")).collect();
    assert!(deals.len() > 50, "only {} samples are of a reseller deal", deals.len());
    let figures = [
        "3300", "3.300", "3,300", "3660", "3.660", "3,660", "7.20", "7,20", "3028", "3.028", "3,028", "330.4", "330,4",
    ];
    for Told { name, values, mail, .. } in deals {
        for text in [values, &mail.subject, &mail.text, &mail.html] {
            assert!(!text.contains("EUR") && !text.contains('€'), "{name} names a currency:\n{text}");
            for figure in figures {
                assert!(!text.contains(figure), "{figure} in {name}:\n{text}");
            }
        }
    }
}

#[test]
fn names_are_escaped_and_nothing_is_left_of_the_template() {
    let mut hostile = 0;
    for Told { name, mail, .. } in EVERYTHING.iter() {
        assert!(!mail.html.contains("<script"), "{name} lets a script through");
        hostile += usize::from(mail.html.contains("&lt;script&gt;alert"));
        for text in [&mail.subject, &mail.text, &mail.html] {
            for left in ["{{", "}}", "{%", "%}", "{#", "None", "none,", "undefined", " | "] {
                assert!(!text.contains(left), "{name} shows {left}:\n{text}");
            }
        }
        assert!(!mail.html.contains("&amp;lt;") && !mail.html.contains("&amp;#"), "{name} is escaped twice");
    }
    assert!(hostile > 70, "only {hostile} samples have the hostile name");
}

#[test]
fn nothing_is_loaded_from_afar() {
    for Told { name, mail, .. } in EVERYTHING.iter() {
        for remote in ["<img", "<link", "<iframe", "src=", "url(", "@import", "background=\"http"] {
            assert!(!mail.html.contains(remote), "{name} has {remote}");
        }
    }
}

#[test]
fn german_mails_have_no_english_in_them() {
    let words = [
        "the",
        "you",
        "your",
        "and",
        "is",
        "are",
        "of",
        "for",
        "with",
        "from",
        "until",
        "not",
        "users",
        "user",
        "days",
        "key",
        "year",
        "month",
        "term",
        "fees",
        "January",
        "February",
        "cancel",
        "subscription",
        "open",
        "reply",
    ];
    for Told { name, mail, .. } in EVERYTHING.iter().filter(|told| told.language == "de") {
        let lines = mail.text.lines().filter(|line| !line.starts_with("http"));
        let text = lines.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ");
        // Names of products and people are not ours to translate.
        let text = text.replace("SCEPman EE, per user", "");
        for word in text.split(|c: char| !c.is_alphanumeric()).chain(mail.subject.split(' ')) {
            assert!(!words.contains(&word.to_lowercase().as_str()), "{name} says \"{word}\":\n{text}");
        }
        assert!(!mail.html.contains("<html lang=\"en\""), "{name} claims to be English");
    }
}

#[test]
fn figures_and_dates_follow_the_language() {
    let first = |language: &str, name: &str| {
        EVERYTHING.iter().find(|told| told.language == language && told.name == name).map(|told| &told.mail).unwrap()
    };
    let table = [
        ("en", "welcome", "Your KONNEKT license key for 300 users", "3,660.00 EUR", "13 February 2026"),
        ("de", "welcome", "Ihr Lizenzschlüssel für KONNEKT mit 300 Nutzern", "3.660,00 EUR", "13. Februar 2026"),
        ("en", "upgraded", "KONNEKT: 300 users from today", "45.890410 × 7.2000", "15 January 2027"),
        ("de", "upgraded", "KONNEKT: ab heute 300 Nutzer", "45,890410 × 7,2000", "15. Januar 2027"),
        ("en", "renewal_ahead", "KONNEKT: your renewal on 15 January 2027", "3,660.00", "14 January 2027"),
        ("de", "renewal_ahead", "KONNEKT: Ihre Verlängerung am 15. Januar 2027", "3.660,00", "14. Januar 2027"),
    ];
    for (language, name, subject, figure, date) in table {
        let mail = first(language, name);
        assert_eq!(mail.subject, subject);
        for text in [&mail.text, &mail.html] {
            assert!(text.contains(figure) && text.contains(date), "{figure}, {date} in {name}:\n{text}");
        }
    }
}

/// Writes every sample to the directory named by `SEATKEY_SAMPLES`, to be looked at in a browser.
#[test]
fn mails_can_be_looked_at() {
    let Some(directory) = std::env::var_os("SEATKEY_SAMPLES").map(std::path::PathBuf::from) else { return };
    std::fs::create_dir_all(&directory).unwrap();
    for (index, Told { language, name, mail, .. }) in EVERYTHING.iter().enumerate() {
        let file = |extension: &str| directory.join(format!("life-{language}-{name}-{index:03}.{extension}"));
        std::fs::write(file("html"), &mail.html).unwrap();
        std::fs::write(file("txt"), format!("{}\n\n{}", mail.subject, mail.text)).unwrap();
    }
}
