//! A token built by hand, so that header and claims can be any bytes, signed by whatever a test wants.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    hmac,
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384,
        RSA_PKCS1_SHA512, RSA_PSS_SHA256, RsaEncoding,
    },
};
use seatkey::marketplace::TokenVersion;
use serde_json::Value;
use url::Url;

use super::entra::{APPLICATION, MARKETPLACE, NOW, STS, TENANT, pair};

/// A JSON object as text: names and values in order, either of them anything.
#[derive(Debug, Clone)]
pub(super) struct Members(Vec<(String, String)>);

impl Members {
    fn of<const N: usize>(members: [(&str, Value); N]) -> Self {
        Self(members.map(|(name, value)| (name.to_owned(), value.to_string())).into())
    }

    pub(super) fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.raw(name, &value.into().to_string());
    }

    /// The text as the value.
    pub(super) fn raw(&mut self, name: &str, text: &str) {
        match self.0.iter_mut().find(|(held, _)| held == name) {
            Some(member) => text.clone_into(&mut member.1),
            None => self.again(name, text),
        }
    }

    /// One more, whether there is one or not.
    pub(super) fn again(&mut self, name: &str, text: &str) {
        self.0.push((name.to_owned(), text.to_owned()));
    }

    pub(super) fn remove(&mut self, name: &str) {
        let before = self.0.len();
        self.0.retain(|(held, _)| held != name);
        assert_eq!(self.0.len() + 1, before, "{name}");
    }

    fn bytes(&self) -> Vec<u8> {
        let members: Vec<_> = self.0.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        format!("{{{}}}", members.join(",")).into_bytes()
    }
}

/// Who signs, and how.
#[derive(Debug, Clone)]
pub(super) enum Signer {
    Rsa(usize),
    Rs384,
    Rs512,
    Ps256,
    Es256,
    Ed25519,
    Hmac(Vec<u8>),
}

impl Signer {
    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        let rsa = |index: usize, encoding: &'static dyn RsaEncoding| {
            let mut signature = vec![0; pair(index).public().modulus_len()];
            pair(index).sign(encoding, &random, message, &mut signature).unwrap();
            signature
        };
        match self {
            Self::Rsa(index) => rsa(*index, &RSA_PKCS1_SHA256),
            Self::Rs384 => rsa(0, &RSA_PKCS1_SHA384),
            Self::Rs512 => rsa(0, &RSA_PKCS1_SHA512),
            Self::Ps256 => rsa(0, &RSA_PSS_SHA256),
            Self::Es256 => {
                let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
                let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, key.as_ref(), &random).unwrap();
                key.sign(&random, message).unwrap().as_ref().to_vec()
            }
            Self::Ed25519 => {
                let key = Ed25519KeyPair::generate_pkcs8(&random).unwrap();
                Ed25519KeyPair::from_pkcs8(key.as_ref()).unwrap().sign(message).as_ref().to_vec()
            }
            Self::Hmac(key) => hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message).as_ref().to_vec(),
        }
    }
}

/// A token before it is written down. Each step can be replaced.
#[derive(Debug, Clone)]
pub(super) struct Forge {
    pub(super) authority: Url,
    pub(super) header: Members,
    pub(super) claims: Members,
    pub(super) header_bytes: fn(Vec<u8>) -> Vec<u8>,
    pub(super) claims_bytes: fn(Vec<u8>) -> Vec<u8>,
    pub(super) encode_header: fn(&[u8]) -> String,
    pub(super) encode_claims: fn(&[u8]) -> String,
    pub(super) signer: Signer,
    pub(super) signature: fn(Vec<u8>) -> Vec<u8>,
    /// The written token, after the signature was made.
    pub(super) compact: fn(String) -> String,
    /// The value of the `Authorization` header.
    pub(super) value: fn(&str) -> Option<String>,
}

pub(super) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl Forge {
    /// A token that is accepted at [`NOW`], with what Entra writes into those of applications.
    pub(super) fn new(authority: &Url, version: TokenVersion) -> Self {
        let (now, end) = (NOW.unix_timestamp(), NOW.unix_timestamp() + 3_599);
        let (ver, caller, strength, issuer) = match version {
            TokenVersion::V1 => ("1.0", "appid", "appidacr", STS.to_owned()),
            TokenVersion::V2 => ("2.0", "azp", "azpacr", format!("{authority}{TENANT}/v2.0")),
        };
        let claims = Members::of([
            ("aud", APPLICATION.into()),
            ("iss", issuer.into()),
            ("iat", now.into()),
            ("nbf", now.into()),
            ("exp", end.into()),
            ("aio", "k2BgYPhatEdkxxOtwz".into()),
            (caller, MARKETPLACE.into()),
            (strength, "2".into()),
            ("oid", "0d2b5c11-6f0e-4f7b-9a55-0c6a4d1e8f90".into()),
            ("sub", "0d2b5c11-6f0e-4f7b-9a55-0c6a4d1e8f90".into()),
            ("tid", TENANT.into()),
            ("uti", "Zq1gLw8vTkGv".into()),
            ("ver", ver.into()),
        ]);
        let header = [("typ", "JWT"), ("alg", "RS256"), ("kid", "first"), ("x5t", "first")];
        Self {
            authority: authority.clone(),
            header: Members::of(header.map(|(name, value)| (name, value.into()))),
            claims,
            header_bytes: |bytes| bytes,
            claims_bytes: |bytes| bytes,
            encode_header: encode,
            encode_claims: encode,
            signer: Signer::Rsa(0),
            signature: |bytes| bytes,
            compact: |token| token,
            value: |token| Some(format!("Bearer {token}")),
        }
    }

    /// Names this key and is signed with it.
    pub(super) fn by(mut self, kid: &str, index: usize) -> Self {
        self.header.set("kid", kid);
        self.signer = Signer::Rsa(index);
        self
    }

    /// Issued at this time, for an hour.
    pub(super) fn at(mut self, time: time::OffsetDateTime) -> Self {
        let time = time.unix_timestamp();
        for (name, value) in [("iat", time), ("nbf", time), ("exp", time + 3_599)] {
            self.claims.set(name, value);
        }
        self
    }

    pub(super) fn token(&self) -> String {
        let header = (self.encode_header)(&(self.header_bytes)(self.header.bytes()));
        let claims = (self.encode_claims)(&(self.claims_bytes)(self.claims.bytes()));
        let message = format!("{header}.{claims}");
        let signature = (self.signature)(self.signer.sign(message.as_bytes()));
        (self.compact)(format!("{message}.{}", encode(&signature)))
    }

    pub(super) fn header_value(&self) -> Option<String> {
        (self.value)(&self.token())
    }
}
