//! How long pages take: alone, and four at a time; ours and the limit in turns, with as many different addresses as a case has.

use std::{collections::BTreeMap, net::SocketAddr};

use futures::{StreamExt as _, stream};
use reqwest::{Client, StatusCode, header, redirect};
use seatkey::clock::Stopwatch;

use super::{asked::Case, cookie};

/// Each turn asks so often, ours and the limit.
const REQUESTS: usize = 60;
const TURNS: usize = 2;
/// How many are under way at once.
const AT_ONCE: [usize; 2] = [1, 4];
/// The goal, in milliseconds.
const P95: f64 = 200.0;

/// What a case came to; milliseconds, in order.
pub(super) struct Timed {
    name: &'static str,
    ways: usize,
    /// Alone and four at a time: ours.
    ours: [Vec<f64>; 2],
    /// The same of the limit.
    limit: [Vec<f64>; 2],
    /// The address that took longest.
    slowest: String,
}

/// Asks for all that a case has.
pub(super) async fn take(number: usize, case: &Case, real: SocketAddr, limit: SocketAddr) -> Timed {
    let client = Client::builder().redirect(redirect::Policy::none()).no_proxy().build().unwrap();
    let ours: Vec<String> = case.asked.iter().map(|one| format!("http://{real}{}", one.path)).collect();
    let bare: Vec<String> = (0..case.asked.len()).map(|way| format!("http://{limit}/{number}/{way}")).collect();
    let (mut of_ours, mut of_limit) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
    let mut slowest: BTreeMap<&str, f64> = BTreeMap::new();
    // Connections are opened and statements prepared before the time is taken.
    ask(&client, &ours[..1], 4, 8).await;
    ask(&client, &bare[..1], 4, 8).await;
    for _ in 0..TURNS {
        for (index, at_once) in AT_ONCE.into_iter().enumerate() {
            for (url, took) in ask(&client, &ours, at_once, REQUESTS.max(ours.len())).await {
                of_ours[index].push(took);
                let longest = slowest.entry(url).or_default();
                *longest = longest.max(took);
            }
            of_limit[index].extend(ask(&client, &bare, at_once, REQUESTS).await.into_iter().map(|(_, took)| took));
        }
    }
    for times in of_ours.iter_mut().chain(&mut of_limit) {
        times.sort_by(f64::total_cmp);
    }
    let slowest = slowest.into_iter().max_by(|one, other| one.1.total_cmp(&other.1)).map(|(url, _)| url);
    let slowest = slowest.and_then(|url| url.strip_prefix(&format!("http://{real}"))).unwrap_or_default().to_owned();
    Timed { name: case.name, ways: case.asked.len(), ours: of_ours, limit: of_limit, slowest }
}

/// So many requests, in turns through the addresses; each with its milliseconds to the last byte.
async fn ask<'a>(client: &Client, urls: &'a [String], at_once: usize, count: usize) -> Vec<(&'a str, f64)> {
    let requests = urls.iter().cycle().take(count).map(|url| async move {
        let watch = Stopwatch::start();
        let request = client.get(url).header(header::COOKIE, cookie()).header(header::ACCEPT_ENCODING, "gzip");
        let answer = request.send().await.unwrap();
        let status = answer.status();
        assert!(status == StatusCode::OK || status == StatusCode::SEE_OTHER, "{status} {url}");
        assert!(
            answer.headers().get(header::LOCATION).is_none_or(|to| !to.as_bytes().starts_with(b"/console/sign-in"))
        );
        answer.bytes().await.unwrap();
        (url.as_str(), watch.elapsed().as_secs_f64() * 1e3)
    });
    stream::iter(requests).buffer_unordered(at_once).collect().await
}

fn part(sorted: &[f64], percent: usize) -> f64 {
    sorted.get((sorted.len() * percent).div_ceil(100).saturating_sub(1)).copied().unwrap_or_default()
}

/// `1.2 / 3.4 / 5.6`: the median, the 95th of a hundred, the longest.
fn told(sorted: &[f64]) -> String {
    [50, 95, 100].map(|percent| number(part(sorted, percent))).join(" / ")
}

fn number(milliseconds: f64) -> String {
    if milliseconds < 10.0 { format!("{milliseconds:.1}") } else { format!("{milliseconds:.0}") }
}

impl Timed {
    fn is_met(&self) -> bool {
        self.ours.iter().all(|times| part(times, 95) < P95)
    }

    /// A line for whoever waits.
    pub(super) fn short(&self) -> String {
        let [alone, four] = &self.ours;
        format!("{}: {} ms alone, {} ms four at a time, slowest {}", self.name, told(alone), told(four), self.slowest)
    }
}

/// The table, as Markdown.
#[expect(clippy::print_stdout, reason = "a benchmark prints a table")]
pub(super) fn print(all: &[Timed]) {
    println!(
        "\n| Page (milliseconds: p50 / p95 / longest) | addresses | one at a time | limit | four at a time | limit | p95 < 200 ms |"
    );
    println!("|---|---:|---:|---:|---:|---:|---|");
    for one in all {
        let [alone, four] = one.ours.each_ref().map(|times| told(times));
        let [limit_alone, limit_four] = one.limit.each_ref().map(|times| told(times));
        let verdict = if one.is_met() { "met" } else { "**missed**" };
        println!("| {} | {} | {alone} | {limit_alone} | {four} | {limit_four} | {verdict} |", one.name, one.ways);
    }
}
