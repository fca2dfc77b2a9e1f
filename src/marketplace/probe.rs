//! What a check asks of the marketplace and of Entra, besides the calls of everyday.

use reqwest::header::DATE;
use time::{OffsetDateTime, format_description::well_known::Rfc2822};

use super::{
    Client, WebhookTokens,
    error::{MarketplaceError, Result},
};

impl Client {
    /// Asks Entra for a new token, and throws it away.
    ///
    /// # Errors
    /// [`MarketplaceError::Credential`] with Entra's code, or [`MarketplaceError::Unreached`].
    pub async fn try_credential(&self) -> Result<()> {
        self.tokens.renewed_token().await?;
        Ok(())
    }

    /// What time it is at Microsoft, to the second: the `Date` of any answer, asked for without a token. `None` when the
    /// answer has none.
    ///
    /// # Errors
    /// [`MarketplaceError::Unreached`].
    pub async fn find_remote_time(&self) -> Result<Option<OffsetDateTime>> {
        let unreached =
            |error: reqwest::Error| MarketplaceError::Unreached(crate::http::innermost(&error.without_url()));
        let response = self.http.get(self.base().clone()).send().await.map_err(unreached)?;
        let date = response.headers().get(DATE).and_then(|date| date.to_str().ok());
        Ok(date.and_then(|date| OffsetDateTime::parse(date, &Rfc2822).ok()))
    }
}

impl WebhookTokens {
    /// Fetches the documents that the check of a webhook's token needs, and gives how many keys they have. What is held
    /// stays as it is.
    ///
    /// # Errors
    /// What was wrong with them.
    pub async fn try_keys(&self) -> std::result::Result<usize, String> {
        self.keys.try_source(self.clock.now()).await
    }
}
