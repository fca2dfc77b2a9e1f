//! The caller, the version, and tokens that are no application's access token.

use seatkey::marketplace::TokenRefused::{Caller, Claims, IdToken, UserToken, Version};
use serde_json::{Value, json};

use super::{
    entra::{APPLICATION, MARKETPLACE},
    forge::Forge,
    kinds::Kind,
};

const ANOTHER: &str = "9e4d2c1b-6f7a-4b8c-9d0e-1a2b3c4d5e66";
/// The marketplace's older id. It was a resource of our calls, never a caller of the webhook.
const OLD_MARKETPLACE: &str = "62d94f6c-d599-489b-a797-3e10e42fbe22";

pub(super) fn kinds() -> Vec<Kind> {
    [callers(), versions(), not_an_applications()].into_iter().flatten().collect()
}

/// The claim of the caller in either version.
fn caller(forge: &mut Forge, value: impl Into<Value>) {
    let name = if is_v1(forge) { "appid" } else { "azp" };
    forge.claims.set(name, value);
}

fn is_v1(forge: &Forge) -> bool {
    format!("{:?}", forge.claims).contains("appid")
}

fn callers() -> Vec<Kind> {
    vec![
        Kind::both("caller another application", Caller, |f| caller(f, ANOTHER)),
        Kind::both("caller ourselves", Caller, |f| caller(f, APPLICATION)),
        Kind::both("caller the older marketplace", Caller, |f| caller(f, OLD_MARKETPLACE)),
        Kind::both("caller null", Caller, |f| caller(f, Value::Null)),
        Kind::both("caller empty", Caller, |f| caller(f, "")),
        Kind::both("caller a list", Caller, |f| caller(f, json!([MARKETPLACE]))),
        Kind::both("caller an object", Caller, |f| caller(f, json!({"id": MARKETPLACE}))),
        Kind::both("caller cut", Caller, |f| caller(f, &MARKETPLACE[1..])),
        Kind::both("caller with more", Caller, |f| caller(f, format!("{MARKETPLACE} "))),
        Kind::both("caller an address", Caller, |f| caller(f, format!("api://{MARKETPLACE}"))),
        Kind::v1("appid missing", Caller, |f| f.claims.remove("appid")),
        Kind::v2("azp missing", Caller, |f| f.claims.remove("azp")),
        Kind::v1("the caller in azp in version 1", Caller, |f| {
            f.claims.remove("appid");
            f.claims.set("azp", MARKETPLACE);
        }),
        Kind::v2("the caller in appid in version 2", Caller, |f| {
            f.claims.remove("azp");
            f.claims.set("appid", MARKETPLACE);
        }),
        Kind::v1("azp contradicts appid", Caller, |f| f.claims.set("azp", ANOTHER)),
        Kind::v2("appid contradicts azp", Caller, |f| f.claims.set("appid", ANOTHER)),
        Kind::v1("azp null beside appid", Caller, |f| f.claims.set("azp", Value::Null)),
        Kind::v2("appid null beside azp", Caller, |f| f.claims.set("appid", Value::Null)),
        Kind::v1("two appids", Claims, |f| f.claims.again("appid", &format!("\"{ANOTHER}\""))),
        Kind::v2("two azps", Claims, |f| f.claims.again("azp", &format!("\"{ANOTHER}\""))),
    ]
}

fn versions() -> Vec<Kind> {
    vec![
        Kind::both("ver missing", Version, |f| f.claims.remove("ver")),
        Kind::both("ver 3.0", Version, |f| f.claims.set("ver", "3.0")),
        Kind::both("ver null", Version, |f| f.claims.set("ver", Value::Null)),
        Kind::both("ver empty", Version, |f| f.claims.set("ver", "")),
        Kind::both("ver a list", Version, |f| f.claims.set("ver", json!(["1.0", "2.0"]))),
        Kind::v1("ver a number, 1.0", Version, |f| f.claims.raw("ver", "1.0")),
        Kind::v2("ver a number, 2.0", Version, |f| f.claims.raw("ver", "2.0")),
        Kind::v1("ver 1", Version, |f| f.claims.set("ver", "1")),
        Kind::v2("ver 2", Version, |f| f.claims.set("ver", "2")),
        Kind::v2("ver v2.0", Version, |f| f.claims.set("ver", "v2.0")),
        Kind::v1("version 1 that says 2.0", Caller, |f| f.claims.set("ver", "2.0")),
        Kind::v2("version 2 that says 1.0", Caller, |f| f.claims.set("ver", "1.0")),
        Kind::both("two vers", Claims, |f| f.claims.again("ver", "\"2.0\"")),
    ]
}

fn not_an_applications() -> Vec<Kind> {
    vec![
        Kind::both("the nonce of an ID token", IdToken, |f| f.claims.set("nonce", "the-nonce")),
        Kind::both("the access token's digest of an ID token", IdToken, |f| f.claims.set("at_hash", "aGFzaA")),
        Kind::both("the code's digest of an ID token", IdToken, |f| f.claims.set("c_hash", "aGFzaA")),
        Kind::both("nonce null", IdToken, |f| f.claims.set("nonce", Value::Null)),
        Kind::both("a scope", UserToken, |f| f.claims.set("scp", "user_impersonation")),
        Kind::both("a scope that is empty", UserToken, |f| f.claims.set("scp", "")),
        Kind::both("a user's token", UserToken, |f| f.claims.set("idtyp", "user")),
        Kind::both("a device's token", UserToken, |f| f.claims.set("idtyp", "device")),
        Kind::both("idtyp in other case", UserToken, |f| f.claims.set("idtyp", "App")),
        Kind::both("idtyp null", UserToken, |f| f.claims.set("idtyp", Value::Null)),
        Kind::both("idtyp a list", UserToken, |f| f.claims.set("idtyp", json!(["app"]))),
        Kind::both("idtyp twice", Claims, |f| f.claims.again("idtyp", "\"user\""))
            .beside(|f| f.claims.set("idtyp", "app")),
    ]
}
