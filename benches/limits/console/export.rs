//! The files of the two longest lists, whole: how fast their lines come, how soon the first one, and what is held in memory.

use std::net::SocketAddr;

use sea_orm::sqlx::{AssertSqlSafe, PgPool, Row as _, query};
use seatkey::clock::Stopwatch;

use super::{cookie, installation::Installation};
use crate::{
    support::table::{Row, per_second, time},
    sweep::resident_mebibytes,
};

/// After so many lines every buffer has found its size.
const WARM: u64 = 20_000;
/// What may come and go with the allocator's mood.
const FLAT_MEBIBYTES: f64 = 8.0;
/// The limit reads so many rows, a thousand at a time as the program does.
const LIMIT_ROWS: i64 = 200_000;
const PIECE: i64 = 1_000;

pub(super) async fn measure(address: SocketAddr, installation: &Installation) -> Vec<Row> {
    let mut rows = Vec::new();
    for (room, table) in [("subscriptions", "subscription"), ("ledger", "charge")] {
        let limit = rows_per_second(&installation.pool, table).await;
        rows.extend(download(address, room, limit).await);
    }
    rows
}

async fn rows_per_second(pool: &PgPool, table: &str) -> f64 {
    let sql = format!("SELECT * FROM {table} WHERE id < $1 ORDER BY id DESC LIMIT {PIECE}");
    let (mut after, mut count) = (uuid::Uuid::max(), 0);
    let watch = Stopwatch::start();
    while count < LIMIT_ROWS {
        let rows = query(AssertSqlSafe(sql.clone())).bind(after).fetch_all(pool).await.unwrap();
        let Some(last) = rows.last() else { break };
        after = last.get("id");
        count += i64::try_from(rows.len()).unwrap();
    }
    #[expect(clippy::cast_precision_loss, reason = "some hundred thousand fit")]
    let rate = count as f64 / watch.elapsed().as_secs_f64();
    rate
}

async fn download(address: SocketAddr, room: &str, limit: f64) -> [Row; 3] {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("http://{address}/console/{room}.csv");
    let watch = Stopwatch::start();
    let mut answer = client.get(url).header(reqwest::header::COOKIE, cookie()).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let (mut first, mut lines, mut bytes, mut warm, mut most) = (0.0, 0_u64, 0_usize, 0.0, 0.0_f64);
    let mut looked_at = 0;
    while let Some(chunk) = answer.chunk().await.unwrap() {
        if bytes == 0 {
            first = watch.elapsed().as_secs_f64();
        }
        bytes += chunk.len();
        lines += chunk.iter().filter(|byte| **byte == b'\n').count() as u64;
        if lines >= looked_at + WARM {
            looked_at = lines;
            let resident = resident_mebibytes();
            warm = if warm == 0.0 { resident } else { warm };
            most = most.max(resident);
        }
    }
    let (seconds, end) = (watch.elapsed().as_secs_f64(), resident_mebibytes());
    #[expect(clippy::cast_precision_loss, reason = "some millions fit")]
    let (rate, mebibytes) = (lines as f64 / seconds, bytes as f64 / 1_048_576.0);
    let told = |what: String, ours: String, limit: String, ratio: String| Row {
        what,
        ours,
        limit,
        ratio,
        goal: "",
        met: true,
    };
    [
        told(
            format!("{room}.csv, {lines} lines, {mebibytes:.0} MiB (limit: its rows by sqlx)"),
            per_second(rate),
            per_second(limit),
            format!("{:.0} %, {seconds:.0} s", rate / limit * 100.0),
        ),
        told(format!("{room}.csv, until its first byte"), time(first), "–".to_owned(), "–".to_owned()),
        Row {
            what: format!("{room}.csv, memory at its end (limit: after {WARM} lines)"),
            ours: format!("{end:.1} MiB"),
            limit: format!("{warm:.1} MiB"),
            ratio: format!("{:+.1} MiB, at most {:+.1}", end - warm, most - warm),
            goal: "flat",
            met: most - warm < FLAT_MEBIBYTES,
        },
    ]
}
