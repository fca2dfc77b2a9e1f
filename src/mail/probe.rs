//! Whether the mail server takes our mail, told apart by how far it goes; no mail is sent.

use std::time::Duration;

use lettre::{
    Address,
    transport::smtp::{
        Error,
        authentication::{Credentials, DEFAULT_MECHANISMS},
        client::{AsyncSmtpConnection, Tls, TlsParameters},
        commands::Mail,
        extension::ClientId,
    },
};

use super::Mailer;

const PATIENCE: Duration = Duration::from_secs(8);

/// How the server is reached; the same as for mails.
#[derive(Debug, Clone)]
pub(super) struct Door {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) security: Security,
    pub(super) credentials: Option<Credentials>,
}

/// How the connection is kept secret.
#[derive(Clone)]
pub(super) enum Security {
    /// Not at all: on this machine.
    Plain,
    /// STARTTLS, or nothing.
    StartTls(TlsParameters),
    /// TLS from the first byte.
    Wrapped(TlsParameters),
}

impl std::fmt::Debug for Security {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Plain => "Plain",
            Self::StartTls(_) => "StartTls",
            Self::Wrapped(_) => "Wrapped",
        })
    }
}

impl From<&Security> for Tls {
    fn from(security: &Security) -> Self {
        match security {
            Security::Plain => Self::None,
            Security::StartTls(parameters) => Self::Required(parameters.clone()),
            Security::Wrapped(parameters) => Self::Wrapper(parameters.clone()),
        }
    }
}

/// How far it went, and what the server or the network said then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MailTrouble {
    /// Nobody answers there, or not in SMTP.
    #[error("{0}")]
    Unreachable(String),
    /// The server offers no STARTTLS.
    #[error("the server offers no STARTTLS")]
    NoStartTls,
    /// The certificate is not trusted, or TLS fails otherwise.
    #[error("TLS fails: {0}")]
    Untrusted(String),
    /// User or password is refused.
    #[error("the sign-in is refused: {0}")]
    SignIn(String),
    /// The sender is refused.
    #[error("the sender is refused: {0}")]
    Sender(String),
}

impl Mailer {
    /// Connects, secures the connection, and signs in where a user is configured.
    ///
    /// # Errors
    /// [`MailTrouble`], everything but [`MailTrouble::Sender`].
    pub async fn try_server(&self) -> Result<(), MailTrouble> {
        let mut connection = self.connect().await?;
        leave(&mut connection).await;
        Ok(())
    }

    /// The same, and names the sender as a mail would.
    ///
    /// # Errors
    /// [`MailTrouble`].
    pub async fn try_sender(&self) -> Result<(), MailTrouble> {
        let mut connection = self.connect().await?;
        let sender: Address = self.from.email.clone();
        let answer = connection.command(Mail::new(Some(sender), Vec::new())).await;
        leave(&mut connection).await;
        answer.map(drop).map_err(|error| MailTrouble::Sender(words(&error)))
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, MailTrouble> {
        let Door { host, port, security, credentials } = &self.door;
        let hello = ClientId::default();
        let wrapped = if let Security::Wrapped(parameters) = security { Some(parameters.clone()) } else { None };
        let is_wrapped = wrapped.is_some();
        let connected =
            AsyncSmtpConnection::connect_tokio1((host.as_str(), *port), Some(PATIENCE), &hello, wrapped, None).await;
        let mut connection = connected.map_err(|error| match words(&error) {
            told if is_wrapped && told.contains("certificate") => MailTrouble::Untrusted(told),
            told => MailTrouble::Unreachable(told),
        })?;
        if let Security::StartTls(parameters) = security {
            if !connection.can_starttls() {
                leave(&mut connection).await;
                return Err(MailTrouble::NoStartTls);
            }
            let secured = connection.starttls(parameters.clone(), &hello).await;
            secured.map_err(|error| MailTrouble::Untrusted(words(&error)))?;
        }
        if let Some(credentials) = credentials {
            let signed_in = connection.auth(DEFAULT_MECHANISMS, credentials).await;
            signed_in.map(drop).map_err(|error| MailTrouble::SignIn(words(&error)))?;
        }
        Ok(connection)
    }
}

/// Says good-bye; whoever hangs up first has lost nothing.
async fn leave(connection: &mut AsyncSmtpConnection) {
    drop(connection.quit().await);
}

fn words(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        let told = inner.to_string();
        if !text.contains(&told) {
            text = format!("{text}: {told}");
        }
        source = inner.source();
    }
    text
}
