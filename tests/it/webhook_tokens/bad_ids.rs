//! Audience, tenant and issuer.

use seatkey::marketplace::TokenRefused::{Audience, Claims, Issuer, Tenant};
use serde_json::{Value, json};

use super::{
    entra::{APPLICATION, MARKETPLACE, STS, TENANT},
    forge::Forge,
    kinds::Kind,
};

const ANOTHER: &str = "9e4d2c1b-6f7a-4b8c-9d0e-1a2b3c4d5e66";
const CUSTOMER: &str = "3f0c1d9e-6a52-4d0b-9a37-0c2f6a1b7e44";
const MICROSOFT: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";

pub(super) fn kinds() -> Vec<Kind> {
    [audiences(), tenants(), issuers(), issuers_of_a_version()].into_iter().flatten().collect()
}

fn audiences() -> Vec<Kind> {
    vec![
        Kind::both("aud another application", Audience, |f| f.claims.set("aud", ANOTHER)),
        Kind::both("aud the marketplace", Audience, |f| f.claims.set("aud", MARKETPLACE)),
        Kind::both("aud our tenant", Audience, |f| f.claims.set("aud", TENANT)),
        Kind::both("aud nil", Audience, |f| f.claims.set("aud", uuid::Uuid::nil().to_string())),
        Kind::both("aud ours and another", Audience, |f| f.claims.set("aud", json!([APPLICATION, ANOTHER]))),
        Kind::both("aud another and ours", Audience, |f| f.claims.set("aud", json!([ANOTHER, APPLICATION]))),
        Kind::both("aud a list of ours", Audience, |f| f.claims.set("aud", json!([APPLICATION]))),
        Kind::both("aud an object", Audience, |f| f.claims.set("aud", json!({APPLICATION: true}))),
        Kind::both("aud missing", Audience, |f| f.claims.remove("aud")),
        Kind::both("aud null", Audience, |f| f.claims.set("aud", Value::Null)),
        Kind::both("aud a number", Audience, |f| f.claims.set("aud", 7)),
        Kind::both("aud empty", Audience, |f| f.claims.set("aud", "")),
        Kind::both("aud cut", Audience, |f| f.claims.set("aud", &APPLICATION[..35])),
        Kind::both("aud with more", Audience, |f| f.claims.set("aud", format!("{APPLICATION}0"))),
        Kind::both("aud with a slash", Audience, |f| f.claims.set("aud", format!("{APPLICATION}/"))),
        Kind::both("aud a scope", Audience, |f| f.claims.set("aud", format!("{APPLICATION}/.default"))),
        Kind::both("aud an address", Audience, |f| f.claims.set("aud", format!("api://{APPLICATION}"))),
        Kind::both("aud a service's name", Audience, |f| f.claims.set("aud", format!("spn:{APPLICATION}"))),
        Kind::both("aud in braces", Audience, |f| f.claims.set("aud", format!("{{{APPLICATION}}}"))),
        Kind::both("aud without hyphens", Audience, |f| f.claims.set("aud", APPLICATION.replace('-', ""))),
        Kind::both("aud a URN", Audience, |f| f.claims.set("aud", format!("urn:uuid:{APPLICATION}"))),
        Kind::both("aud after a blank", Audience, |f| f.claims.set("aud", format!(" {APPLICATION}"))),
        Kind::both("aud with a look-alike", Audience, |f| f.claims.set("aud", APPLICATION.replacen('a', "\u{430}", 1))),
        Kind::both("aud twice", Claims, |f| f.claims.again("aud", &format!("\"{APPLICATION}\""))),
        Kind::both("two auds, ours last", Claims, |f| {
            f.claims.set("aud", ANOTHER);
            f.claims.again("aud", &format!("\"{APPLICATION}\""));
        }),
        Kind::both("two auds, one of them escaped", Claims, |f| f.claims.again("\\u0061ud", "\"x\"")),
    ]
}

fn tenants() -> Vec<Kind> {
    vec![
        Kind::both("tid the customer's", Tenant, |f| f.claims.set("tid", CUSTOMER)),
        Kind::both("tid Microsoft's", Tenant, |f| f.claims.set("tid", MICROSOFT)),
        Kind::both("tid our application", Tenant, |f| f.claims.set("tid", APPLICATION)),
        Kind::both("tid nil", Tenant, |f| f.claims.set("tid", uuid::Uuid::nil().to_string())),
        Kind::both("tid missing", Tenant, |f| f.claims.remove("tid")),
        Kind::both("tid under another name", Tenant, |f| {
            f.claims.remove("tid");
            f.claims.set("TID", TENANT);
        }),
        Kind::both("tid null", Tenant, |f| f.claims.set("tid", Value::Null)),
        Kind::both("tid empty", Tenant, |f| f.claims.set("tid", "")),
        Kind::both("tid a list", Tenant, |f| f.claims.set("tid", json!([TENANT]))),
        Kind::both("tid a domain", Tenant, |f| f.claims.set("tid", "publisher.example")),
        Kind::both("tid without hyphens", Tenant, |f| f.claims.set("tid", TENANT.replace('-', ""))),
        Kind::both("tid common", Tenant, |f| f.claims.set("tid", "common")),
        Kind::both("two tids, ours last", Claims, |f| {
            f.claims.set("tid", CUSTOMER);
            f.claims.again("tid", &format!("\"{TENANT}\""));
        }),
    ]
}

/// The issuer with one part of it replaced.
fn reissue(forge: &mut Forge, from: &str, to: &str) {
    let ours = if has_v1(forge) { STS.to_owned() } else { format!("{}{TENANT}/v2.0", forge.authority) };
    assert!(ours.contains(from), "{ours}");
    forge.claims.set("iss", ours.replacen(from, to, 1));
}

fn has_v1(forge: &Forge) -> bool {
    format!("{:?}", forge.claims).contains("1.0")
}

fn issuers() -> Vec<Kind> {
    vec![
        Kind::both("iss of the customer", Issuer, |f| reissue(f, TENANT, CUSTOMER)),
        Kind::both("iss of Microsoft", Issuer, |f| reissue(f, TENANT, MICROSOFT)),
        Kind::both("iss the template", Issuer, |f| reissue(f, TENANT, "{tenantid}")),
        Kind::both("iss of everybody", Issuer, |f| reissue(f, TENANT, "common")),
        Kind::both("iss in upper case", Issuer, |f| reissue(f, TENANT, &TENANT.to_uppercase())),
        Kind::both("iss at a longer host", Issuer, |f| {
            reissue(f, &format!("/{TENANT}"), &format!(".evil.example/{TENANT}"));
        }),
        Kind::both("iss with our host as the user", Issuer, |f| {
            reissue(f, &format!("/{TENANT}"), &format!("@evil.example/{TENANT}"));
        }),
        Kind::both("iss with a user", Issuer, |f| reissue(f, "://", "://user@")),
        Kind::both("iss by another scheme", Issuer, |f| reissue(f, "://", "x://")),
        Kind::both("iss with an empty segment", Issuer, |f| reissue(f, &format!("/{TENANT}"), &format!("//{TENANT}"))),
        Kind::both("iss with our tenant as a query", Issuer, |f| {
            reissue(f, &format!("/{TENANT}"), &format!("/{CUSTOMER}/?/{TENANT}"));
        }),
        Kind::both("iss after a blank", Issuer, |f| reissue(f, "http", " http")),
        Kind::both("iss missing", Issuer, |f| f.claims.remove("iss")),
        Kind::both("iss null", Issuer, |f| f.claims.set("iss", Value::Null)),
        Kind::both("iss empty", Issuer, |f| f.claims.set("iss", "")),
        Kind::both("iss our tenant alone", Issuer, |f| f.claims.set("iss", TENANT)),
        Kind::both("iss twice", Claims, |f| f.claims.again("iss", &format!("\"{STS}\""))),
    ]
}

fn issuers_of_a_version() -> Vec<Kind> {
    vec![
        Kind::v1("iss of version 2 in version 1", Issuer, |f| {
            let issuer = format!("{}{TENANT}/v2.0", f.authority);
            f.claims.set("iss", issuer);
        }),
        Kind::v2("iss of version 1 in version 2", Issuer, |f| f.claims.set("iss", STS)),
        Kind::v1("iss a list", Issuer, |f| f.claims.set("iss", json!([STS]))),
        Kind::v1("iss with http", Issuer, |f| reissue(f, "https", "http")),
        Kind::v1("iss without its slash", Issuer, |f| f.claims.set("iss", STS.trim_end_matches('/'))),
        Kind::v1("iss with a path", Issuer, |f| f.claims.set("iss", format!("{STS}evil"))),
        Kind::v1("iss with a port", Issuer, |f| reissue(f, ".net", ".net:443")),
        Kind::v1("iss at a look-alike", Issuer, |f| reissue(f, "windows", "w1ndows")),
        Kind::v1("iss at another host of Entra's", Issuer, |f| {
            reissue(f, "sts.windows.net", "login.microsoftonline.com");
        }),
        Kind::v2("iss with a slash", Issuer, |f| reissue(f, "/v2.0", "/v2.0/")),
        Kind::v2("iss of another version", Issuer, |f| reissue(f, "/v2.0", "/v1.0")),
        Kind::v2("iss with https", Issuer, |f| reissue(f, "http", "https")),
        Kind::v2("iss at another port", Issuer, |f| {
            let port = format!(":{}", f.authority.port().unwrap());
            reissue(f, &port, ":1");
        }),
        Kind::v2("iss at the public Entra", Issuer, |f| {
            f.claims.set("iss", format!("https://login.microsoftonline.com/{TENANT}/v2.0"));
        }),
    ]
}
