//! Signing in: the trip to Entra and back, forged ID tokens, and the sessions behind the cookies.

mod fake_entra;
mod federated;
mod forged;
mod keys;
mod sessions;
mod trip;
mod walker;
