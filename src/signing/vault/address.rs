//! The address of a signing key in a key vault, as `[signing] keys` names it.

use url::Url;

use super::super::KeyError;

/// What a vault keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A key that signs in the vault and never leaves it.
    Keys,
    /// A secret: the text of a key file.
    Secrets,
}

impl Kind {
    /// Its part of a path.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Keys => "keys",
            Self::Secrets => "secrets",
        }
    }
}

/// `https://<vault>.vault.azure.net/keys|secrets/<name>[/<version>]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    /// The vault, with a slash at its end.
    pub(super) vault: Url,
    pub(super) kind: Kind,
    pub(super) name: String,
    /// None = all versions that are enabled.
    pub(super) version: Option<String>,
}

impl Address {
    /// # Errors
    /// [`KeyError::Address`] when it is none.
    pub(super) fn parse(url: &Url) -> Result<Self, KeyError> {
        Self::of(url).ok_or_else(|| KeyError::Address(url.to_string()))
    }

    fn of(url: &Url) -> Option<Self> {
        if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
            return None;
        }
        let mut parts = url.path_segments()?.filter(|part| !part.is_empty());
        let kind = match parts.next()? {
            "keys" => Kind::Keys,
            "secrets" => Kind::Secrets,
            _ => return None,
        };
        let is_name = |part: &&str| part.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        let name = parts.next().filter(is_name)?.to_owned();
        let version = match parts.next() {
            Some(version) => Some(version).filter(is_name).map(str::to_owned),
            None => return Some(Self { vault: url.join("/").ok()?, kind, name, version: None }),
        };
        (version.is_some() && parts.next().is_none()).then_some(())?;
        Some(Self { vault: url.join("/").ok()?, kind, name, version })
    }

    /// What a token for this vault is asked for: the service that the host belongs to, so that a token for Azure's vaults
    /// never goes anywhere else. A stand-in on loopback gets the token of the public cloud.
    pub(super) fn scope(&self) -> String {
        let host = self.vault.host_str().unwrap_or_default();
        let service = host.split_once('.').map(|(_, service)| service).filter(|_| self.vault.scheme() == "https");
        format!("https://{}/.default", service.unwrap_or("vault.azure.net"))
    }

    /// The path of this, of one of its versions, or of a list.
    pub(super) fn path(&self, rest: &str) -> String {
        let (kind, name) = (self.kind.as_str(), &self.name);
        if rest.is_empty() { format!("{kind}/{name}") } else { format!("{kind}/{name}/{rest}") }
    }

    /// For people.
    pub(super) fn text(&self) -> String {
        format!("{}{}", self.vault, self.path(self.version.as_deref().unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_others_refused() {
        let parse = |text: &str| Address::parse(&text.parse().unwrap());
        let address = parse("https://contoso.vault.azure.net/keys/licenses").unwrap();
        assert_eq!(address.vault.as_str(), "https://contoso.vault.azure.net/");
        assert_eq!((address.kind, address.name.as_str(), &address.version), (Kind::Keys, "licenses", &None));
        assert_eq!(address.scope(), "https://vault.azure.net/.default");
        let address = parse("https://contoso.vault.azure.cn/secrets/licenses/0123abcd").unwrap();
        assert_eq!((address.kind, address.version.as_deref()), (Kind::Secrets, Some("0123abcd")));
        assert_eq!(address.scope(), "https://vault.azure.cn/.default");
        assert_eq!(parse("http://127.0.0.1:4000/keys/a").unwrap().scope(), "https://vault.azure.net/.default");
        for wrong in [
            "https://contoso.vault.azure.net/",
            "https://contoso.vault.azure.net/keys",
            "https://contoso.vault.azure.net/certificates/a",
            "https://contoso.vault.azure.net/keys/a/b/c",
            "https://contoso.vault.azure.net/keys/a%2Fb",
            "https://contoso.vault.azure.net/keys/a?api-version=7.4",
            "https://user@contoso.vault.azure.net/keys/a",
        ] {
            assert!(matches!(parse(wrong), Err(KeyError::Address(_))), "{wrong}");
        }
    }
}
