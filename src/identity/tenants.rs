//! Which tenant has a domain. Entra says so to everybody: the issuer in the domain's public configuration holds the
//! tenant's id.

use reqwest::StatusCode;
use serde::Deserialize;
use url::Url;
use uuid::Uuid;

use super::{SignInClient, SignInError};

const MAX_DOCUMENT_BYTES: usize = 256 * 1024;
/// No name in the DNS is longer.
const MAX_NAME: usize = 253;
const MAX_LABEL: usize = 63;

#[derive(Deserialize)]
struct Document {
    issuer: Url,
}

#[derive(Deserialize)]
struct Refusal {
    error: String,
}

/// A domain name in small letters, as Entra takes it in an address; `None` when it is none.
#[must_use]
pub fn domain_name(text: &str) -> Option<String> {
    let name = text.trim().to_ascii_lowercase();
    let is_label = |label: &str| {
        let plain = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        plain && (1..=MAX_LABEL).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-')
    };
    let is_name = name.contains('.') && name.len() <= MAX_NAME && name.split('.').all(is_label);
    // A last label without letters is an address of a machine.
    let top = name.rsplit('.').next().unwrap_or_default();
    (is_name && top.bytes().any(|byte| byte.is_ascii_alphabetic())).then_some(name)
}

impl SignInClient {
    /// The tenant that has a domain; `None` when there is none. `domain` is a [`domain_name`].
    ///
    /// # Errors
    /// [`SignInError::Unreachable`] when Entra does not answer, or not readably.
    pub async fn find_tenant(&self, domain: &str) -> Result<Option<Uuid>, SignInError> {
        let unreachable = |error: reqwest::Error| SignInError::Unreachable(error.without_url().to_string());
        let mut url = self.settings.authority.clone();
        url.set_path(&format!("/{domain}/v2.0/.well-known/openid-configuration"));
        let response = self.settings.http.0.get(url).send().await.map_err(unreachable)?;
        let status = response.status();
        let text = crate::http::bounded_text(response, MAX_DOCUMENT_BYTES).await.map_err(unreachable)?;
        let text = text.unwrap_or_default();
        if status == StatusCode::BAD_REQUEST
            && serde_json::from_str::<Refusal>(&text).is_ok_and(|refusal| refusal.error == "invalid_tenant")
        {
            return Ok(None);
        }
        let unreadable = || SignInError::Unreachable(format!("it answered {status} for a domain"));
        let document: Document = serde_json::from_str(&text).map_err(|_| unreadable())?;
        let segment = document.issuer.path_segments().and_then(|mut segments| segments.next().map(str::to_owned));
        let tenant = segment.and_then(|segment| Uuid::parse_str(&segment).ok());
        tenant.map(Some).ok_or_else(unreadable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domain_names_are_names() {
        let table = [
            ("contoso.example", Some("contoso.example")),
            (" Contoso.Example ", Some("contoso.example")),
            ("xn--mller-kva.example", Some("xn--mller-kva.example")),
            ("common", None),
            ("contoso..example", None),
            ("-contoso.example", None),
            ("contoso.example/common", None),
            ("alex@contoso.example", None),
            ("müller.example", None),
            ("127.0.0.1", None),
            ("", None),
        ];
        for (text, expected) in table {
            assert_eq!(domain_name(text).as_deref(), expected, "{text:?}");
        }
        assert_eq!(domain_name(&format!("{}.example", "a".repeat(64))), None);
    }
}
