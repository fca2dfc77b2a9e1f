use super::*;

const HEAD: &str = r#"
[[offer]]
id = "o"
name = "O"
publisher = "P"
support_url = "https://o.example/"
support_email = "support@o.example"

[[offer.plan]]
id = "p"
name = "Plan"
term_unit = "P1Y"
model = "segments"

[[offer.plan.segment]]
name = "S 10"
included = 10
maximum = 99
base_dimension = "base-10"
user_dimension = "user-10"

[offer.plan.prices.EUR]
"base-10" = "100.00"
"user-10" = "9.50"
"#;

/// The one error that a change to the good catalog brings, as text.
fn refused(from: &str, to: &str) -> String {
    assert!(HEAD.contains(from), "the good catalog has no {from}");
    let findings = Catalog::from_toml("c.toml", &HEAD.replacen(from, to, 1)).unwrap_err();
    findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_example_catalog_is_in_order_and_warns_where_a_segment_is_dominated() {
    let text = include_str!("../../../deploy/catalog.example.toml");
    let (catalog, warnings) = Catalog::from_toml("catalog.example.toml", text).unwrap();
    assert_eq!(catalog.offers.len(), 2);
    assert!(catalog.find_plan("konnekt-preview", "konnekt-yearly").is_some(), "preview offers carry a suffix");
    let warnings: Vec<_> = warnings.iter().map(|warning| warning.message.clone()).collect();
    assert!(warnings.iter().any(|w| w.contains("SCEPman EE (M) 5000 is dominated from 9853 users on")), "{warnings:?}");
}

#[test]
fn each_mistake_is_named_with_file_line_and_field() {
    let table = [
        (
            "user_dimension = \"user-10\"",
            "user_dimension = \"base-10\"",
            "c.toml:20: error: dimension: the dimension \"base-10\" is used twice",
        ),
        ("\"9.50\"", "9.5", "c.toml:24: error: user-10: a price is a text"),
        ("\"9.50\"", "\"9.50001\"", "c.toml:24: error: user-10: 9.50001 has more than 4 decimals"),
        ("\"9.50\"", "\"0\"", "c.toml:24: error: user-10: an additional user must cost something"),
        ("\"9.50\"", "\"9,50\"", "c.toml:24: error: user-10: \"9,50\" is not a price"),
        ("maximum = 99", "maximum = 9", "c.toml:18: error: maximum: the maximum of 9 is below the 10 included users"),
        ("prices.EUR", "prices.EUX", "c.toml:22: error: prices: unknown currency \"EUX\""),
        ("model = \"segments\"", "model = \"usage\"", "c.toml:13: error: model: usage-based plans are not built yet"),
        ("model = \"segments\"", "model = \"seats\"", "c.toml:13: error: model: \"seats\" is not a pricing model"),
        (
            "term_unit = \"P1Y\"",
            "term_unit = \"P1Y\"\nsuccessor_of = \"q\"",
            "c.toml:13: error: successor_of: there is no other plan \"q\"",
        ),
        (
            "term_unit = \"P1Y\"",
            "term_unit = \"P1Y\"\ngrace_period = \"3 days\"",
            "c.toml:13: error: grace_period: write a number of hours or days",
        ),
        ("\"user-10\" = \"9.50\"\n", "", "error: user-10: there is no EUR price for it"),
        (
            "\"user-10\" = \"9.50\"",
            "\"user-10\" = \"9.50\"\n\"user-11\" = \"1\"",
            "c.toml:25: error: user-11: no segment or extra of plan \"p\" uses it",
        ),
        ("included = 10", "included = -1", "c.toml:17: error: included:"),
        ("included = 10", "includes = 10", "c.toml:17: error: includes: unknown field `includes`"),
        ("name = \"O\"", "name = \"O\"\naccent_color = \"blue\"", "c.toml:5: error: accent_color: write a colour"),
    ];
    for (from, to, expected) in table {
        let found = refused(from, to);
        assert!(found.contains(expected), "{to}\n  expected {expected}\n  found    {found}");
    }
}

#[test]
fn the_same_included_users_twice_is_refused() {
    let twice = "\n[[offer.plan.segment]]\nname = \"T\"\nincluded = 10\nbase_dimension = \"b\"\nuser_dimension = \"u\"\n\n[offer.plan.prices.EUR]\n\"b\" = \"1\"\n\"u\" = \"1\"\n";
    let found = refused("\n[offer.plan.prices.EUR]\n", twice);
    assert!(found.contains("c.toml:24: error: included: two segments include 10 users"), "{found}");
}

#[test]
fn a_trial_needs_metered_fees() {
    let text =
        HEAD.split("[[offer.plan.segment]]").next().unwrap().replace("\"segments\"", "\"flat\"\ntrial_days = 30");
    let findings = Catalog::from_toml("c.toml", &text).unwrap_err();
    assert!(
        findings[0].to_string().starts_with("c.toml:14: error: trial_days: a trial needs metered fees"),
        "{findings:?}"
    );
}

#[test]
fn an_offer_has_at_most_thirty_dimensions() {
    let mut text = HEAD.split("\n[offer.plan.prices.EUR]").next().unwrap().to_owned();
    for n in 11..26 {
        text.push_str(&format!("\n[[offer.plan.segment]]\nname = \"S {n}\"\nincluded = {n}\nbase_dimension = \"b-{n}\"\nuser_dimension = \"u-{n}\"\n"));
    }
    let findings = Catalog::from_toml("c.toml", &text).unwrap_err();
    assert!(
        findings[0].to_string().contains("c.toml:3: error: offer.id: 32 dimensions; Microsoft allows 30"),
        "{findings:?}"
    );
}
