//! Times. All are told relative to the clock's, and the twins stand at the edges of the leeway (five minutes).

use seatkey::marketplace::TokenRefused::{Claims, Expired, NotYet, Times};
use serde_json::{Value, json};

use super::{entra::NOW, forge::Forge, kinds::Kind};

const DAY: i64 = 86_400;

pub(super) fn kinds() -> Vec<Kind> {
    [outside(), contradictions(), endings(), beginnings()].into_iter().flatten().collect()
}

/// So many seconds from now.
fn set(forge: &mut Forge, name: &str, seconds: i64) {
    forge.claims.set(name, NOW.unix_timestamp() + seconds);
}

fn hour_ago(forge: &mut Forge) {
    for (name, seconds) in [("iat", -3_600), ("nbf", -3_600), ("exp", -299)] {
        set(forge, name, seconds);
    }
}

fn outside() -> Vec<Kind> {
    vec![
        Kind::both("expired by the leeway", Expired, |f| set(f, "exp", -300)).beside(hour_ago),
        Kind::both("expired half an hour ago", Expired, |f| set(f, "exp", -1_800)).beside(hour_ago),
        Kind::both("not yet valid by a second", NotYet, |f| set(f, "nbf", 301)).beside(|f| set(f, "nbf", 300)),
        Kind::both("not yet valid for half an hour", NotYet, |f| set(f, "nbf", 1_800)),
        Kind::both("issued in the future by a second", NotYet, |f| set(f, "iat", 301)).beside(|f| set(f, "iat", 300)),
        Kind::both("issued in half an hour", NotYet, |f| set(f, "iat", 1_800)),
        Kind::both("issued in the future, without nbf", NotYet, |f| set(f, "iat", 301))
            .beside(|f| f.claims.remove("nbf")),
    ]
}

fn contradictions() -> Vec<Kind> {
    /// Everything within the leeway, so that nothing but the order can be wrong.
    fn soon_over(forge: &mut Forge) {
        for (name, seconds) in [("iat", -200), ("nbf", -200), ("exp", -100)] {
            set(forge, name, seconds);
        }
    }
    vec![
        Kind::both("begins after its end", Times, |f| set(f, "nbf", 100)).beside(soon_over),
        Kind::both("begins at its end", Times, |f| set(f, "nbf", -100)).beside(soon_over),
        Kind::both("issued after its end", Times, |f| set(f, "iat", 100)).beside(soon_over),
        Kind::both("issued at its end", Times, |f| set(f, "iat", -100)).beside(soon_over),
        Kind::both("lives longer than two days", Times, |f| set(f, "exp", 2 * DAY + 1))
            .beside(|f| set(f, "exp", 2 * DAY)),
        Kind::both("lives for ten years", Times, |f| set(f, "exp", 3_652 * DAY)),
        Kind::both("was issued years ago", Times, |f| set(f, "iat", -3_652 * DAY)),
    ]
}

fn endings() -> Vec<Kind> {
    vec![
        Kind::both("exp missing", Times, |f| f.claims.remove("exp")),
        Kind::both("exp null", Times, |f| f.claims.set("exp", Value::Null)),
        Kind::both("exp a text", Times, |f| f.claims.set("exp", (NOW.unix_timestamp() + 3_599).to_string())),
        Kind::both("exp a date", Times, |f| f.claims.set("exp", "2026-01-15T11:00:00Z")),
        Kind::both("exp a float", Times, |f| f.claims.raw("exp", "1768475999.5")),
        Kind::both("exp a whole float", Times, |f| f.claims.raw("exp", "1768475999.0")),
        Kind::both("exp with an exponent", Times, |f| f.claims.raw("exp", "1768475999e0")),
        Kind::both("exp negative", Times, |f| f.claims.set("exp", -1)),
        Kind::both("exp the smallest number", Times, |f| f.claims.set("exp", i64::MIN)),
        Kind::both("exp the largest number", Times, |f| f.claims.set("exp", i64::MAX)),
        Kind::both("exp beyond the largest number", Times, |f| f.claims.set("exp", u64::MAX)),
        Kind::both("exp beyond all numbers", Times, |f| f.claims.raw("exp", "99999999999999999999999999")),
        Kind::both("exp beyond all floats", Claims, |f| f.claims.raw("exp", "1e400")),
        Kind::both("exp not a number", Claims, |f| f.claims.raw("exp", "NaN")),
        Kind::both("exp in hexadecimal", Claims, |f| f.claims.raw("exp", "0x6968cf5f")),
        Kind::both("exp with a leading zero", Claims, |f| f.claims.raw("exp", "01768475999")),
        Kind::both("exp a list", Times, |f| f.claims.set("exp", json!([NOW.unix_timestamp() + 3_599]))),
        Kind::both("exp true", Times, |f| f.claims.set("exp", true)),
        Kind::both("exp in milliseconds", Times, |f| f.claims.set("exp", (NOW.unix_timestamp() + 3_599) * 1_000)),
        Kind::both("exp zero", Times, |f| f.claims.set("exp", 0)),
        Kind::both("two exps", Claims, |f| f.claims.again("exp", "1768475999")),
    ]
}

fn beginnings() -> Vec<Kind> {
    vec![
        Kind::both("iat missing", Times, |f| f.claims.remove("iat")),
        Kind::both("iat null", Times, |f| f.claims.set("iat", Value::Null)),
        Kind::both("iat a text", Times, |f| f.claims.set("iat", NOW.unix_timestamp().to_string())),
        Kind::both("iat a float", Times, |f| f.claims.raw("iat", "1768471200.5")),
        Kind::both("iat negative", Times, |f| f.claims.set("iat", -1)),
        Kind::both("iat the smallest number", Times, |f| f.claims.set("iat", i64::MIN)),
        Kind::both("nbf null", Times, |f| f.claims.set("nbf", Value::Null)),
        Kind::both("nbf a text", Times, |f| f.claims.set("nbf", NOW.unix_timestamp().to_string())),
        Kind::both("nbf a float", Times, |f| f.claims.raw("nbf", "1768471200.5")),
        Kind::both("nbf negative", Times, |f| f.claims.set("nbf", -1)),
        Kind::both("nbf the largest number", Times, |f| f.claims.set("nbf", i64::MAX)),
        Kind::both("two nbfs", Claims, |f| f.claims.again("nbf", "0")),
    ]
}
