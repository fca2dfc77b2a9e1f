//! Signatures, the structure of the token and its JSON, and the header's value.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE},
};
use seatkey::marketplace::TokenRefused::{Claims, Header, Malformed, Missing, NotBearer, Signature, TooLong};

use super::{
    entra::MARKETPLACE,
    forge::{Signer, encode},
    kinds::Kind,
};

pub(super) fn kinds() -> Vec<Kind> {
    [signatures(), parts(), encodings(), json(), values()].into_iter().flatten().collect()
}

fn flip(mut bytes: Vec<u8>, at: usize) -> Vec<u8> {
    bytes[at] ^= 1;
    bytes
}

/// The token with other claims or another header than those that were signed.
fn exchange(token: &str, part: usize, from: &str, to: &str) -> String {
    let mut parts: Vec<_> = token.split('.').map(str::to_owned).collect();
    let text =
        String::from_utf8(base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(&parts[part]).unwrap()).unwrap();
    assert!(text.contains(from), "{text}");
    parts[part] = encode(text.replace(from, to).as_bytes());
    parts.join(".")
}

/// The last sign of the token replaced by the next in the alphabet: the same bytes for a lenient reader.
fn next_last(token: &str) -> String {
    let next = match token.as_bytes()[token.len() - 1] {
        b'A' => 'B',
        b'Q' => 'R',
        b'g' => 'h',
        b'w' => 'x',
        other => panic!("{other} does not end 256 bytes"),
    };
    format!("{}{next}", &token[..token.len() - 1])
}

fn signatures() -> Vec<Kind> {
    vec![
        Kind::both("signature empty", Signature, |f| f.signature = |_| Vec::new()),
        Kind::both("signature missing", Malformed, |f| {
            f.compact = |token| token.rsplit_once('.').unwrap().0.to_owned();
        }),
        Kind::both("signature cut", Signature, |f| f.signature = |bytes| bytes[..255].to_vec()),
        Kind::both("signature cut in front", Signature, |f| f.signature = |bytes| bytes[1..].to_vec()),
        Kind::both("signature with a byte more", Signature, |f| f.signature = |bytes| [&bytes[..], &[0]].concat()),
        Kind::both("signature with a zero in front", Signature, |f| f.signature = |bytes| [&[0], &bytes[..]].concat()),
        Kind::both("signature all zeros", Signature, |f| f.signature = |bytes| vec![0; bytes.len()]),
        Kind::both("signature one", Signature, |f| f.signature = |bytes| flip(vec![0; bytes.len()], bytes.len() - 1)),
        Kind::both("signature of one byte", Signature, |f| f.signature = |_| vec![1]),
        Kind::both("signature, first bit", Signature, |f| f.signature = |bytes| flip(bytes, 0)),
        Kind::both("signature, a bit in the middle", Signature, |f| f.signature = |bytes| flip(bytes, 128)),
        Kind::both("signature, last bit", Signature, |f| f.signature = |bytes| flip(bytes, 255)),
        Kind::both("signature in reverse", Signature, |f| f.signature = |bytes| bytes.into_iter().rev().collect()),
        Kind::both("signature over other claims", Signature, |f| {
            f.compact = |token| exchange(&token, 1, "Zq1gLw8vTkGv", "Zq1gLw8vTkGw");
        }),
        Kind::both("signature over another header", Signature, |f| {
            f.compact = |token| exchange(&token, 0, "\"x5t\":\"first\"", "\"x5t\":\"other\"");
        }),
        Kind::both("signature of another published key", Signature, |f| f.signer = Signer::Rsa(1)),
        Kind::both("signature of a key that nobody published", Signature, |f| f.signer = Signer::Rsa(2)),
        Kind::both("signature with padding", Signature, |f| f.compact = |token| format!("{token}==")),
        Kind::both("signature with bits behind its end", Signature, |f| f.compact = |token| next_last(&token)),
        Kind::both("signature in the standard alphabet", Signature, |f| {
            f.compact = |token| {
                let (message, signature) = token.rsplit_once('.').unwrap();
                format!("{message}.{}", signature.replace('-', "+").replace('_', "/"))
            };
        }),
        Kind::both("signature in percent-encoding", Signature, |f| {
            f.compact = |token| format!("{}%{:02X}", &token[..token.len() - 1], token.as_bytes()[token.len() - 1]);
        }),
    ]
}

fn parts() -> Vec<Kind> {
    vec![
        Kind::both("one part", Malformed, |f| f.compact = |token| token.replace('.', "")),
        Kind::both("four parts", Malformed, |f| f.compact = |token| format!("{token}.e30")),
        Kind::both("four parts, the last empty", Malformed, |f| f.compact = |token| format!("{token}.")),
        Kind::both("a dot in front", Header, |f| f.compact = |token| format!(".{token}")),
        Kind::both("five parts, as if encrypted", Malformed, |f| {
            f.compact = |token| token.replacen('.', ".a2V5.aXY.", 1);
        }),
        Kind::both("a header of nothing", Header, |f| f.encode_header = |_| String::new()),
        Kind::both("claims of nothing", Claims, |f| f.encode_claims = |_| String::new()),
        Kind::both("no token", Malformed, |f| f.compact = |_| String::new()),
        Kind::both("dots alone", Header, |f| f.compact = |_| "..".to_owned()),
        Kind::both("the JSON form", Malformed, |f| {
            f.compact = |token| {
                let parts: Vec<_> = token.split('.').collect();
                format!(r#"{{"protected":"{}","payload":"{}","signature":"{}"}}"#, parts[0], parts[1], parts[2])
            };
        }),
        Kind::both("a token within a token", Claims, |f| {
            f.claims_bytes =
                |bytes| format!("{}.{}.AAAA", encode(br#"{"alg":"RS256","kid":"first"}"#), encode(&bytes)).into_bytes();
        }),
        Kind::both("longer than 16 KB", TooLong, |f| f.claims.set("extra", "x".repeat(15_000)))
            .beside(|f| f.claims.set("extra", "x".repeat(10_000))),
    ]
}

fn encodings() -> Vec<Kind> {
    /// Such a length that padding belongs behind it, and signs in which the two alphabets differ.
    fn telling(mut bytes: Vec<u8>) -> Vec<u8> {
        bytes.pop();
        bytes.extend(br#","odd":"??????>>>>>>"}"#);
        bytes.resize(bytes.len().next_multiple_of(3) + 1, b' ');
        bytes
    }
    let header = |kind: Kind| kind.beside(|f| f.header_bytes = telling);
    let claims = |kind: Kind| kind.beside(|f| f.claims_bytes = telling);
    vec![
        header(Kind::both("header with padding", Malformed, |f| f.encode_header = |bytes| URL_SAFE.encode(bytes))),
        claims(Kind::both("claims with padding", Malformed, |f| f.encode_claims = |bytes| URL_SAFE.encode(bytes))),
        header(Kind::both("header in the standard alphabet", Malformed, |f| {
            f.encode_header = |bytes| STANDARD_NO_PAD.encode(bytes);
        })),
        claims(Kind::both("claims in the standard alphabet", Malformed, |f| {
            f.encode_claims = |bytes| STANDARD_NO_PAD.encode(bytes);
        })),
        header(Kind::both("header with bits behind its end", Malformed, |f| {
            f.encode_header = |bytes| encode(bytes).strip_suffix('A').unwrap().to_owned() + "B";
        })),
        claims(Kind::both("claims with bits behind their end", Malformed, |f| {
            f.encode_claims = |bytes| encode(bytes).strip_suffix('A').unwrap().to_owned() + "B";
        })),
        Kind::both("a blank in the header", Malformed, |f| {
            f.encode_header = |bytes| encode(bytes).replacen('J', "J ", 1);
        }),
        Kind::both("a line break in the claims", Malformed, |f| {
            f.encode_claims = |bytes| encode(bytes).replacen('J', "J\r\n", 1);
        }),
        Kind::both("a blank before the signature", Signature, |f| {
            f.compact = |token| {
                let (message, signature) = token.rsplit_once('.').unwrap();
                format!("{message}. {signature}")
            };
        }),
        Kind::both("JSON that is not encoded", Malformed, |f| {
            f.encode_claims = |bytes| String::from_utf8(bytes.to_vec()).unwrap();
        }),
    ]
}

fn json() -> Vec<Kind> {
    vec![
        Kind::both("claims a list", Claims, |f| f.claims_bytes = |bytes| [b"[", &bytes[..], b"]"].concat()),
        Kind::both("claims a text", Claims, |f| f.claims_bytes = |_| br#""claims""#.to_vec()),
        Kind::both("claims null", Claims, |f| f.claims_bytes = |_| b"null".to_vec()),
        Kind::both("header a list", Header, |f| f.header_bytes = |bytes| [b"[", &bytes[..], b"]"].concat()),
        Kind::both("a byte behind the claims", Claims, |f| f.claims_bytes = |bytes| [&bytes[..], b"x"].concat()),
        Kind::both("a zero byte behind the claims", Claims, |f| f.claims_bytes = |bytes| [&bytes[..], b"\0"].concat()),
        Kind::both("claims twice", Claims, |f| f.claims_bytes = |bytes| [&bytes[..], &bytes[..]].concat()),
        Kind::both("a byte behind the header", Header, |f| f.header_bytes = |bytes| [&bytes[..], b"x"].concat()),
        Kind::both("claims with a byte order mark", Claims, |f| {
            f.claims_bytes = |bytes| ["\u{feff}".as_bytes(), &bytes[..]].concat();
        }),
        Kind::both("claims in UTF-16", Claims, |f| {
            f.claims_bytes = |bytes| bytes.into_iter().flat_map(|byte| [byte, 0]).collect();
        }),
        Kind::both("claims not in UTF-8", Claims, |f| {
            f.claims_bytes = |bytes| bytes.into_iter().map(|byte| if byte == b'#' { 0xff } else { byte }).collect();
        })
        .beside(|f| f.claims.set("extra", "#")),
        Kind::both("header not in UTF-8", Header, |f| {
            f.header_bytes = |bytes| bytes.into_iter().map(|byte| if byte == b'#' { 0xc0 } else { byte }).collect();
        })
        .beside(|f| f.header.set("extra", "#")),
        Kind::both("half a surrogate pair", Claims, |f| f.claims.raw("extra", r#""\ud800""#))
            .beside(|f| f.claims.raw("extra", r#""\ud83d\ude00""#)),
        Kind::both("a line break in a text", Claims, |f| f.claims.raw("extra", "\"\n\"")),
        Kind::both("a comma too many", Claims, |f| {
            f.claims_bytes = |mut bytes| {
                bytes.pop();
                [&bytes[..], b",}"].concat()
            }
        }),
        Kind::both("a comment", Claims, |f| f.claims_bytes = |bytes| [b"/**/", &bytes[..]].concat()),
        Kind::both("nested too deeply", Claims, |f| f.claims.raw("extra", &nested(2_000)))
            .beside(|f| f.claims.raw("extra", &nested(20))),
        Kind::both("a doubled name within a claim", Claims, |f| f.claims.raw("extra", r#"[{"a":1,"a":1}]"#))
            .beside(|f| f.claims.raw("extra", r#"[{"a":1,"b":1}]"#)),
        Kind::both("a doubled name that nobody reads", Claims, |f| f.claims.again("uti", "\"x\"")),
        Kind::both("a doubled name that nobody reads, in the header", Header, |f| f.header.again("x5t", "\"x\"")),
        Kind::both("all within an object", Claims, |f| {
            f.claims_bytes = |bytes| [br#"{"claims":"#, &bytes[..], b",\"claims\":{}}"].concat();
        }),
        Kind::both("a caller behind a doubled name", Claims, |f| {
            f.claims.again("\\u0061zp", &format!("\"{MARKETPLACE}\""));
            f.claims.again("azp", &format!("\"{MARKETPLACE}\""));
        }),
    ]
}

fn nested(depth: usize) -> String {
    format!("{}{}", "[".repeat(depth), "]".repeat(depth))
}

fn values() -> Vec<Kind> {
    vec![
        Kind::both("no header", Missing, |f| f.value = |_| None),
        Kind::both("an empty header", NotBearer, |f| f.value = |_| Some(String::new())),
        Kind::both("the scheme alone", NotBearer, |f| f.value = |_| Some("Bearer".to_owned())),
        Kind::both("the scheme and a blank", Malformed, |f| f.value = |_| Some("Bearer ".to_owned())),
        Kind::both("Basic", NotBearer, |f| f.value = |token| Some(format!("Basic {token}"))),
        Kind::both("DPoP", NotBearer, |f| f.value = |token| Some(format!("DPoP {token}"))),
        Kind::both("no scheme", NotBearer, |f| f.value = |token| Some(token.to_owned())),
        Kind::both("no blank", NotBearer, |f| f.value = |token| Some(format!("Bearer{token}"))),
        Kind::both("a colon", NotBearer, |f| f.value = |token| Some(format!("Bearer: {token}"))),
        Kind::both("the header's name within its value", NotBearer, |f| {
            f.value = |token| Some(format!("Authorization: Bearer {token}"));
        }),
        Kind::both("a blank in front", NotBearer, |f| f.value = |token| Some(format!(" Bearer {token}"))),
        Kind::both("a blank behind", Signature, |f| f.value = |token| Some(format!("Bearer {token} "))),
        Kind::both("a line break behind", Signature, |f| f.value = |token| Some(format!("Bearer {token}\n"))),
        Kind::both("two blanks", Malformed, |f| f.value = |token| Some(format!("Bearer  {token}"))),
        Kind::both("a tab", NotBearer, |f| f.value = |token| Some(format!("Bearer\t{token}"))),
        Kind::both("a blank that is none", NotBearer, |f| f.value = |token| Some(format!("Bearer\u{a0}{token}"))),
        Kind::both("two tokens", Malformed, |f| f.value = |token| Some(format!("Bearer {token} {token}"))),
        Kind::both("two tokens with a comma", Malformed, |f| f.value = |token| Some(format!("Bearer {token},{token}"))),
        Kind::both("two headers in one", Malformed, |f| {
            f.value = |token| Some(format!("Bearer {token}, Bearer {token}"));
        }),
        Kind::both("twice Bearer", Malformed, |f| f.value = |token| Some(format!("Bearer Bearer {token}"))),
        Kind::both("in quotes", Malformed, |f| f.value = |token| Some(format!("Bearer \"{token}\""))),
        Kind::both("as a parameter", Malformed, |f| f.value = |token| Some(format!("Bearer token={token}"))),
    ]
}
