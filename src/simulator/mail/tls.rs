//! The mail server's certificate: a leaf for this machine, and the authority that signed it. Made anew at each start.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring::default_provider,
        pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    },
};

/// The acceptor for STARTTLS, and the authority's certificate as PEM.
///
/// # Errors
/// When the system has no randomness.
pub(in super::super) fn acceptor() -> std::io::Result<(TlsAcceptor, String)> {
    let (leaf, key, authority_pem) = certificates().map_err(std::io::Error::other)?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key));
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|config| config.with_no_client_auth().with_single_cert(vec![leaf], key))
        .map_err(std::io::Error::other)?;
    Ok((TlsAcceptor::from(Arc::new(config)), authority_pem))
}

type Certificates = (tokio_rustls::rustls::pki_types::CertificateDer<'static>, Vec<u8>, String);

/// Two certificates, because a self-signed one is refused by rustls as an authority that is used as a leaf.
fn certificates() -> Result<Certificates, rcgen::Error> {
    let mut authority = CertificateParams::new(Vec::new())?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    authority.distinguished_name.push(DnType::CommonName, "Simulated mail authority");
    let authority_key = KeyPair::generate()?;
    let pem = authority.self_signed(&authority_key)?.pem();
    let mut leaf = CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()])?;
    leaf.distinguished_name.push(DnType::CommonName, "Simulated mail server");
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let leaf_key = KeyPair::generate()?;
    let issuer = Issuer::new(authority, authority_key);
    let certificate = leaf.signed_by(&leaf_key, &issuer)?;
    Ok((certificate.der().clone(), leaf_key.serialize_der(), pem))
}
