//! Random histories: duplicates, losses, delays, stale snapshots, minimal bodies, refused and unanswered changes, faults of
//! Microsoft and the mail server, deaths at every boundary, restarts. After one comparison of everything, all is as it is at
//! Microsoft, and everything was done once.
//!
//! `SEATKEY_HISTORIES=10000 cargo test --test it -- histories --nocapture` is the long form; `SEATKEY_SEED` repeats one world.

#![expect(clippy::print_stdout, reason = "seeds are printed")]

use futures::{StreamExt as _, stream};

use crate::support::{
    chance::{how_many, seeds},
    history::{History, LIVES},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_histories_end_where_microsoft_is() {
    let seeds = seeds(how_many("SEATKEY_HISTORIES", 200).div_ceil(LIVES));
    println!("{} worlds of {LIVES} subscriptions", seeds.len());
    let mut worlds = stream::iter(seeds)
        .map(|seed| async move { (seed, tokio::spawn(async move { History::begin(seed).await.live().await }).await) })
        .buffer_unordered(2);
    while let Some((seed, complaints)) = worlds.next().await {
        let complaints = complaints.unwrap_or_else(|error| vec![error.to_string()]);
        assert!(complaints.is_empty(), "SEATKEY_SEED={seed}\n{}", complaints.join("\n"));
        println!("seed {seed}: well");
    }
}
