//! The console's rooms and its search, over HTTP, on both databases.

mod few;
mod numbers;
mod paging;
mod rooms;
mod search;

use seatkey::cli::browser::{Browser, Page};

use crate::support::{Stage, enrolment_fields, staff};

/// A page of the console.
async fn open(stage: &Stage, browser: &mut Browser, path: &str) -> Page {
    browser.open(stage.url(path.trim_start_matches('/'))).await.unwrap()
}

/// The same, when it is there; slashes are escaped in HTML, which nobody reads easily.
async fn shown(stage: &Stage, browser: &mut Browser, path: &str) -> String {
    let page = open(stage, browser, path).await;
    assert_eq!(page.status, 200, "{path}: {}", page.text);
    page.text.replace("&#x2f;", "/")
}

/// The rows of the first table, as HTML.
fn rows(html: &str) -> Vec<String> {
    let body = html.split("<tbody>").nth(1).unwrap_or_default().split("</tbody>").next().unwrap_or_default();
    body.split("</tr>").filter(|row| row.contains("<tr>")).map(str::to_owned).collect()
}

/// The id in the last cell of a row, copied as a whole.
fn id_of(row: &str) -> String {
    row.rsplit_once("title=\"").and_then(|(_, rest)| rest.split('"').next()).unwrap_or_default().to_owned()
}

/// A file: its lines after the head, each by the names of the columns.
async fn file(stage: &Stage, browser: &mut Browser, path: &str) -> Vec<Vec<(String, String)>> {
    let text = shown(stage, browser, path).await;
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let head: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let lines = reader.records().map(|line| {
        let line = line.unwrap();
        head.iter().cloned().zip(line.iter().map(str::to_owned)).collect()
    });
    lines.collect()
}

/// What stands in a column of a file.
fn column<'a>(lines: &'a [Vec<(String, String)>], name: &str) -> Vec<&'a str> {
    let value = |line: &'a Vec<(String, String)>| {
        line.iter().find(|(column, _)| column == name).map(|(_, value)| value.as_str()).expect("the column")
    };
    lines.iter().map(value).collect()
}

/// An order of an organisation with that name.
async fn order(stage: &Stage, browser: &mut Browser, id: uuid::Uuid, organisation: &str) {
    let form = stage.configure(browser, id).await;
    let fields = enrolment_fields(&form, "150").map(|(name, value)| match name {
        "organisation" => (name, organisation.to_owned()),
        _ => (name, value),
    });
    let review = stage.url(&format!("subscriptions/{id}/enrol/review"));
    let review = browser.post_form(review, &fields).await.unwrap();
    assert_eq!(review.status, 200, "{}", review.text);
    stage.submit(browser, id, &review).await;
    stage.settle().await;
}

async fn finance(stage: &Stage) -> Browser {
    staff::signed_in(stage, staff::FINN).await
}
