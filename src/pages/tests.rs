//! Every template with every sample; and what no page may ever show.

use std::{fs, path::PathBuf};

use super::{mail::Mail, *};
use crate::pages::mail::{Language, Welcome};

fn templates() -> Templates {
    Templates::load(None).unwrap()
}

/// Every sample of every page and mail: the template's name, whether it is of a reseller deal, the finished text.
fn everything() -> Vec<(String, String)> {
    let templates = templates();
    let mut all = Vec::new();
    let mut add = |name: &str, texts: Vec<String>| {
        all.extend(texts.into_iter().enumerate().map(|(index, text)| (format!("{name}-{index:02}"), text)));
    };
    add("landing", rendered::<landing::Landing>(&templates));
    add("trouble", rendered::<trouble::Trouble>(&templates));
    add("subscriptions", rendered::<subscriptions::Subscriptions>(&templates));
    add("enrolment", rendered::<enrolment::Enrolment>(&templates));
    add("projection", rendered::<projection::Projection>(&templates));
    add("review", rendered::<review::Review>(&templates));
    add("progress", rendered::<progress::Progress>(&templates));
    add("account", rendered::<account::Account>(&templates));
    add("change-preview", rendered::<change::ChangePreview>(&templates));
    add("change", rendered::<change::ChangeReview>(&templates));
    add("confirm", rendered::<confirm::Confirm>(&templates));
    add("contacts", rendered::<contacts::ContactsForm>(&templates));
    add("seats", rendered::<seats::SeatsProgress>(&templates));
    add("consoletrouble", rendered::<console::trouble::ConsoleTrouble>(&templates));
    add("decisionpage", rendered::<console::decision::DecisionPage>(&templates));
    add("trialpage", rendered::<console::trials::TrialPage>(&templates));
    add("newtrial", rendered::<console::trials::NewTrial>(&templates));
    add("list", rendered::<console::list::List>(&templates));
    add("subscriptionpage", rendered::<console::subscription::SubscriptionPage>(&templates));
    add("changeonbehalf", rendered::<console::change::ChangeOnBehalf>(&templates));
    add("today", rendered::<console::today::Today>(&templates));
    add("mailpage", rendered::<console::mails::MailPage>(&templates));
    add("catalogpage", rendered::<console::catalog::CatalogPage>(&templates));
    add("numbers", rendered::<console::numbers::Numbers>(&templates));
    add("searchpage", rendered::<console::search::SearchPage>(&templates));
    add("tracepage", rendered::<console::trace::TracePage>(&templates));
    add("api-docs", rendered::<api_docs::ApiDocs>(&templates));
    let mails: Vec<_> =
        Welcome::samples().iter().map(|mail| mail.render(&templates, &Language::ENGLISH).unwrap()).collect();
    add("mail-html", mails.iter().map(|mail| mail.html.clone()).collect());
    add("mail-text", mails.iter().map(|mail| mail.text.clone()).collect());
    all
}

fn rendered<P: Page>(templates: &Templates) -> Vec<String> {
    P::samples().iter().map(|sample| sample.render(templates).unwrap()).collect()
}

#[test]
fn every_template_renders_every_sample() {
    check(&templates()).unwrap();
}

/// What the samples hold, shown by a template or not: an override could show it.
fn held() -> Vec<String> {
    fn json<T: Serialize>(samples: &[T]) -> Vec<String> {
        samples.iter().map(|sample| serde_json::to_string(sample).unwrap()).collect()
    }
    let pages = [json(&enrolment::Enrolment::samples()), json(&projection::Projection::samples())];
    let more = [json(&review::Review::samples()), json(&account::Account::samples()), json(&Welcome::samples())];
    let changes = [
        json(&change::ChangePreview::samples()),
        json(&change::ChangeReview::samples()),
        json(&confirm::Confirm::samples()),
    ];
    pages.into_iter().chain(more).chain(changes).flatten().collect()
}

#[test]
fn no_page_of_a_reseller_deal_holds_or_shows_an_amount() {
    let told = |text: &str| text.contains(samples::RESOLD) || text.contains("reseller sets");
    let held = held().into_iter().filter(|json| told(json) || json.contains("\"reseller\":true"));
    let texts: Vec<_> = everything().into_iter().map(|(_, text)| text).filter(|text| told(text)).chain(held).collect();
    assert!(texts.len() >= 40, "only {} samples are of a reseller deal", texts.len());
    // 300 users of KONNEKT: base fee, additional users, totals of all segments, the first term's; any currency; the axis.
    let amounts =
        ["3,300", "3300", "7.20", "360.0", "3,660", "3660", "8,700", "8700", "27,900", "45,900", "3,359", "3359"];
    let more = ["3,028", "3028", "330.4", "EUR", "€", "12,000", "6,000", "viewBox=\"0 0", "viewBox=\\\"0 0"];
    for text in texts {
        // The console draws its mark, and the term as a line.
        let is_drawn = |pattern: &str| pattern.contains("viewBox") && text.contains("Seatkey console");
        for amount in amounts.iter().chain(&more).filter(|pattern| !is_drawn(pattern)) {
            assert!(!text.contains(amount), "{amount} in a reseller deal:\n{text}");
        }
    }
}

#[test]
fn the_picture_of_a_reseller_deal_has_no_heights() {
    let mut seen = 0;
    samples::each_deal(|deal| {
        let picture = picture::Picture::of(&deal.purchase, deal.priced.plan, deal.priced.quote).unwrap();
        let flat = picture.pieces.iter().all(|piece| piece.y1 == picture.here.y && piece.y2 == picture.here.y);
        assert_eq!(flat, deal.purchase.is_reseller_deal());
        seen += usize::from(flat);
    });
    assert_eq!(seen, 1);
}

#[test]
fn a_hostile_name_is_escaped_wherever_it_stands() {
    let mut seen = 0;
    for (name, text) in everything().into_iter().filter(|(name, _)| !name.starts_with("mail-text")) {
        assert!(!text.contains("<script>alert"), "{name} lets a script through");
        seen += usize::from(text.contains("&lt;script&gt;alert"));
    }
    assert!(seen >= 25, "only {seen} samples have the hostile name");
}

#[test]
fn pages_keep_the_content_security_policy() {
    for (name, text) in everything().into_iter().filter(|(name, _)| !name.starts_with("mail")) {
        for forbidden in [" style=", " onclick=", " onload=", " onsubmit=", "javascript:"] {
            assert!(!text.contains(forbidden), "{name} has{forbidden}");
        }
    }
}

fn overrides(files: &[(&str, &str)]) -> PathBuf {
    let directory = std::env::temp_dir().join(format!("seatkey-templates-{}", uuid::Uuid::new_v4()));
    for (name, text) in files {
        let path = directory.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    directory
}

#[test]
fn a_file_of_the_directory_replaces_a_text() {
    let directory = overrides(&[("mail/en/welcome/subject.txt", "{{ offer }}: willkommen,\n{{ organisation }}")]);
    let templates = Templates::load(Some(&directory)).unwrap();
    check(&templates).unwrap();
    let mail = Welcome::samples().remove(0).render(&templates, &Language::ENGLISH).unwrap();
    assert_eq!(mail.subject, "KONNEKT: willkommen, Contoso GmbH");
    fs::remove_dir_all(directory).unwrap();
}

#[test]
fn a_broken_override_is_refused_by_name() {
    let table = [
        ("landing.html", "{{ no_such_value }}"),
        ("review.html", "{% extends 'base.html' %}{% block content %}{{ frame.nothing }}{% endblock %}"),
        ("mail/en/welcome/body.txt", "{% if %}"),
        ("lnding.html", "a misspelt name"),
        ("enrolment_projection.html", "{{ cost.table.no_such_value }}"),
    ];
    for (name, text) in table {
        let directory = overrides(&[(name, text)]);
        let result = Templates::load(Some(&directory)).and_then(|templates| check(&templates));
        let message = result.unwrap_err().to_string();
        assert!(message.contains(&format!("\"{name}\"")), "{name}: {message}");
        fs::remove_dir_all(directory).unwrap();
    }
}

/// Writes every sample to the directory named by `SEATKEY_SAMPLES`, to be looked at in a browser.
#[test]
fn samples_can_be_looked_at() {
    let Some(directory) = std::env::var_os("SEATKEY_SAMPLES").map(PathBuf::from) else { return };
    fs::create_dir_all(&directory).unwrap();
    fs::write(directory.join("seatkey.css"), crate::templates::STYLESHEET).unwrap();
    fs::write(directory.join("seatkey.js"), crate::templates::SCRIPT).unwrap();
    for (name, text) in everything() {
        let extension = if name.starts_with("mail-text") { "txt" } else { "html" };
        let text =
            if name.starts_with("projection") { format!("<link rel=stylesheet href=seatkey.css>{text}") } else { text };
        fs::write(directory.join(format!("{name}.{extension}")), text.replace("/assets/", "")).unwrap();
    }
}

#[test]
fn a_cancellation_costs_what_the_rules_say() {
    use account::{Account, AccountFacts, Viewer};
    use charges::{ChargeFact, ChargeReason, ChargeState};

    let templates = templates();
    samples::each_deal(|deal| {
        let (accepted, held) =
            (ChargeState::Accepted(deal.now), ChargeState::HeldUntil(deal.priced.first.reportable_from));
        let table = [
            (ChargeReason::FirstTerm, held, "Ends at once"),
            (ChargeReason::FirstTerm, accepted, "Runs on until"),
            (ChargeReason::Renewal(deal.priced.first.term.start), held, "Ends at once"),
            (ChargeReason::Upgrade { from: 150 }, held, "Runs on with 150 users until"),
        ];
        for (reason, state, expected) in table {
            let standing = subscriptions::Standing::Subscribed;
            let explanation = explained_samples::explained(deal, standing, (reason, state), deal.now);
            let charge = |line| ChargeFact {
                line,
                reason,
                days: "",
                invoice: None,
                users: 300,
                state,
                credits: &[],
                known: true,
            };
            let charges: Vec<_> = deal.priced.charged.iter().map(charge).collect();
            let facts = AccountFacts {
                may_ask: false,
                purchase: &deal.purchase,
                standing,
                users: Some(300),
                planned: None,
                segment: Some(&deal.priced.quote.segment),
                quote: Some(deal.priced.quote),
                term: Some(deal.priced.first.term),
                first: Some(deal.priced.first),
                key: None,
                charges: &charges,
                explanation: &explanation,
                contacts: &[],
                viewer: Viewer::Party,
                mail_stuck: false,
            };
            let text = Account::new(deal.frame.clone(), &facts, deal.now).render(&templates).unwrap();
            assert!(text.contains(expected), "{reason:?} {state:?} should say \"{expected}\"");
        }
    });
}

#[test]
fn a_looker_sees_neither_key_nor_charges() {
    let texts = rendered::<account::Account>(&templates());
    let lookers: Vec<_> = texts.iter().filter(|text| text.contains("You may look")).collect();
    assert!(!lookers.is_empty());
    for text in lookers {
        for hidden in ["eyJ", "EUR", "id=\"charges\"", "If you cancelled"] {
            assert!(!text.contains(hidden), "a looker sees {hidden}");
        }
    }
}
