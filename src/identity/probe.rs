//! Whether an app registration is as it must be, as far as Entra tells without anybody signing in.

use openidconnect::{
    CsrfToken, Nonce, PkceCodeChallenge,
    core::{CoreAuthPrompt, CoreAuthenticationFlow},
};
use reqwest::header::LOCATION;
use secrecy::SecretString;
use serde::Deserialize;
use url::Url;
use uuid::Uuid;

use super::{Proof, SignInClient, SignInError, provider::Provider};
use crate::clock::SharedClock;

/// Entra's pages have some hundred kilobytes, its answers a few.
const MAX_PAGE_BYTES: usize = 2 * 1024 * 1024;
/// A sentence of Entra's, cut off after so many characters.
const MAX_WORDS: usize = 300;

/// What Entra's sign-in page does with our redirect address when nobody is to be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RedirectAnswer {
    /// It sends the browser back to us: application and address are known there.
    Known,
    /// It stays there and says why, with its code.
    Refused(String),
    /// It shows a page that says nothing about it.
    Untold,
}

#[derive(Deserialize)]
struct Refusal {
    #[serde(default)]
    error_description: String,
}

impl SignInClient {
    /// A client without a registration, for what Entra publishes to everybody.
    #[must_use]
    pub fn anonymous((authority, tenant_id): (&Url, Option<Uuid>), http: reqwest::Client, clock: &SharedClock) -> Self {
        let (nobody, nowhere) = (String::new(), authority.clone());
        Self::new(
            (authority, tenant_id),
            nobody,
            Proof::Secret(SecretString::default()),
            nowhere,
            http,
            SharedClock::clone(clock),
        )
    }

    /// The address that must be registered.
    #[must_use]
    pub fn redirect(&self) -> &Url {
        &self.settings.redirect
    }

    /// Fetches Entra's configuration and keys anew. What is held stays as it is.
    ///
    /// # Errors
    /// [`SignInError::Unreachable`].
    pub async fn try_metadata(&self) -> Result<(), SignInError> {
        Provider::fetch(&self.settings, self.clock.now()).await.map(drop)
    }

    /// Whether Entra knows a tenant.
    ///
    /// # Errors
    /// [`SignInError::Unreachable`], too where it says that it does not.
    pub async fn try_tenant(&self, tenant_id: Uuid) -> Result<(), SignInError> {
        let mut url = self.settings.authority.clone();
        url.set_path(&format!("/{tenant_id}/v2.0/.well-known/openid-configuration"));
        let answer = self.settings.http.0.get(url).send().await.and_then(reqwest::Response::error_for_status);
        answer.map(drop).map_err(unreachable)
    }

    /// Begins a sign-in in which nobody may be asked anything: a known application at a known address is sent back at once.
    ///
    /// # Errors
    /// [`SignInError::Unreachable`].
    pub async fn try_redirect(&self) -> Result<RedirectAnswer, SignInError> {
        let provider = self.provider(false).await?;
        let (challenge, _) = PkceCodeChallenge::new_random_sha256();
        let (url, ..) = provider
            .client
            .authorize_url(CoreAuthenticationFlow::AuthorizationCode, CsrfToken::new_random, Nonce::new_random)
            .set_pkce_challenge(challenge)
            .add_prompt(CoreAuthPrompt::None)
            .url();
        let response = self.settings.http.0.get(url).send().await.map_err(unreachable)?;
        if response.status().is_redirection() {
            let to = response.headers().get(LOCATION).and_then(|to| to.to_str().ok()).unwrap_or_default();
            let is_ours = to.starts_with(self.settings.redirect.as_str());
            return Ok(if is_ours { RedirectAnswer::Known } else { RedirectAnswer::Untold });
        }
        let page = crate::http::bounded_text(response, MAX_PAGE_BYTES).await.map_err(unreachable)?;
        Ok(code_in(&page.unwrap_or_default()).map_or(RedirectAnswer::Untold, RedirectAnswer::Refused))
    }

    /// Asks for a token of the application itself, for nothing but itself, and throws it away: that proves its secret, or that it
    /// trusts us. `home` is the tenant to ask in where people of all tenants may sign in.
    ///
    /// # Errors
    /// [`SignInError::Registration`] with Entra's code, or [`SignInError::Unreachable`].
    pub async fn try_secret(&self, home: Uuid) -> Result<(), SignInError> {
        let tenant = self.settings.tenant_id.unwrap_or(home);
        let mut url = self.settings.authority.clone();
        url.set_path(&format!("/{tenant}/oauth2/v2.0/token"));
        let scope = format!("{}/.default", self.settings.client_id);
        let mut form = self.settings.proof.fields(false).await?;
        form.extend([
            ("grant_type", "client_credentials".to_owned()),
            ("client_id", self.settings.client_id.clone()),
            ("scope", scope),
        ]);
        let response = self.settings.http.0.post(url).form(&form).send().await.map_err(unreachable)?;
        let status = response.status();
        if status.is_success() {
            return Ok(());
        }
        if status.is_server_error() || status.as_u16() == 429 {
            return Err(SignInError::Unreachable(format!("Entra answers {}", status.as_u16())));
        }
        let text = crate::http::bounded_text(response, MAX_PAGE_BYTES).await.map_err(unreachable)?.unwrap_or_default();
        let words = serde_json::from_str::<Refusal>(&text).map(|refusal| refusal.error_description).unwrap_or_default();
        Err(SignInError::Registration(words.lines().next().unwrap_or_default().to_owned()))
    }
}

/// The address itself is left out: that of a sign-in carries its state.
fn unreachable(error: reqwest::Error) -> SignInError {
    SignInError::Unreachable(crate::http::innermost(&error.without_url()))
}

/// The first sentence with a code of Entra's in a page, which writes it as HTML or inside a script.
fn code_in(page: &str) -> Option<String> {
    const WRITTEN: [(&str, &str); 5] =
        [("\\u0027", "'"), ("&#x27;", "'"), ("&#39;", "'"), ("&#x2f;", "/"), ("\\/", "/")];
    let at = page.find("AADSTS")?;
    let rest = page.get(at..)?;
    let words = rest.split(['<', '"', '\n']).next().unwrap_or_default();
    let words = words.split("\\r").next().unwrap_or_default();
    let read = WRITTEN.iter().fold(words.to_owned(), |text, (written, meant)| text.replace(written, meant));
    Some(read.chars().take(MAX_WORDS).collect())
}

#[cfg(test)]
mod tests {
    use super::code_in;

    #[test]
    fn a_code_is_found_in_a_page() {
        let script = r#"<script>$Config={"strServiceExceptionMessage":"AADSTS50011: The redirect URI \u0027https:\/\/x\u0027 does not match.\r\nTrace"};"#;
        assert_eq!(code_in(script).unwrap(), "AADSTS50011: The redirect URI 'https://x' does not match.");
        assert_eq!(code_in("<p>AADSTS700016: Not found.</p>").unwrap(), "AADSTS700016: Not found.");
        assert_eq!(code_in("<p>Sign in</p>"), None);
    }
}
