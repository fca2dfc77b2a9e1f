//! The search: short and long beginnings, common and rare words, several of them, ids, addresses, and nothing at all.

use super::{
    asked::{Asked, Case},
    samples::Samples,
};
use crate::support::bare::text;

/// The range of the word that the index is entered with.
const RANGE: &str = "SELECT * FROM search_term WHERE term >= convert_to($1, 'UTF8') AND term < convert_to($2, 'UTF8') \
                     ORDER BY term, target, kind LIMIT 200";

pub(super) fn cases(samples: &Samples) -> Vec<Case> {
    let cut = |texts: &[String], length: usize| -> Vec<String> {
        texts.iter().map(|text| text.chars().take(length).collect()).collect()
    };
    let with =
        |texts: &[String], more: &str| -> Vec<String> { texts.iter().map(|text| format!("{text} {more}")).collect() };
    let given = |words: &[&str]| -> Vec<String> { words.iter().map(|word| (*word).to_owned()).collect() };
    let ids: Vec<String> =
        samples.subscriptions.iter().chain(&samples.tenants).chain(&samples.licenses).cloned().collect();
    vec![
        case("Search, 1 or 2 letters", &cut(&samples.brands, 2)),
        case("Search, 3 letters", &cut(&samples.brands, 3)),
        case("Search, 5 letters", &cut(&samples.brands, 5)),
        case(
            "Search, a common word",
            &given(&["gmbh", "ltd", "logistik", "energie", "brauerei", "konnekt-prod", "konnekt-emea"]),
        ),
        case("Search, a rare word", &samples.brands),
        case("Search, a rare and a common word", &with(&samples.brands, "gmbh")),
        case("Search, a beginning and a common word", &with(&cut(&samples.brands, 3), "gmbh")),
        case(
            "Search, two common words",
            &given(&["gmbh logistik", "logistik gmbh", "konnekt-prod gmbh", "ag stahl konnekt-emea", "anna gmbh"]),
        ),
        case(
            "Search, common words that never meet",
            &given(&["ltd sarl", "logistik energie", "stahl optik", "gmbh inc sarl"]),
        ),
        case("Search, the beginning of an id", &cut(&ids, 4)),
        case("Search, more of an id", &cut(&ids, 8)),
        case("Search, an id", &ids),
        case("Search, the beginning of an address", &cut(&samples.emails, 9)),
        case("Search, an address", &samples.emails),
        case("Search, nothing found", &with(&cut(&samples.brands, 3), "xyzzy")),
    ]
}

fn case(name: &'static str, queries: &[String]) -> Case {
    let asked = queries.iter().map(|query| {
        let word = query.split(' ').next().unwrap_or_default();
        let mut behind = word.to_owned();
        // Letters of these words are ASCII, but for one that stands inside.
        let last = behind.pop().unwrap_or('a');
        behind.push(char::from_u32(u32::from(last) + 1).unwrap_or('z'));
        let query = query.replace(' ', "+").replace('@', "%40");
        Asked::new(format!("/console/search?q={query}"), (RANGE, vec![text(word), text(behind)]))
    });
    Case { name, asked: asked.collect() }
}
