//! A certificate authority for tests, and the certificates that it issues (X.509, P-256).

use openssl::asn1::Asn1Time;
use openssl::bn::{BigNum, MsbOption};
use openssl::ec::{EcGroup, EcKey};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
use openssl::x509::{X509, X509Builder, X509NameBuilder};

/// When a certificate is valid.
#[derive(Debug, Clone, Copy)]
pub enum Validity {
    /// From 2020 until tomorrow.
    Current,
    /// On a day in 2020.
    Expired,
}

/// A certificate with its private key.
pub struct Identity {
    pub(crate) certificate: X509,
    pub(crate) key: PKey<Private>,
}

impl Identity {
    /// The certificate in PEM (RFC 7468).
    ///
    /// # Errors
    /// If OpenSSL fails.
    pub fn certificate_pem(&self) -> Result<Vec<u8>, ErrorStack> {
        self.certificate.to_pem()
    }

    /// The private key in PEM (PKCS #8).
    ///
    /// # Errors
    /// If OpenSSL fails.
    pub fn key_pem(&self) -> Result<Vec<u8>, ErrorStack> {
        self.key.private_key_to_pem_pkcs8()
    }

    /// A certificate for these host names and addresses that it signed itself.
    ///
    /// # Errors
    /// If OpenSSL fails.
    pub fn self_signed(hosts: &[&str]) -> Result<Self, ErrorStack> {
        sign(name_of(hosts), hosts, Validity::Current, None)
    }
}

/// A certificate authority.
pub struct Authority(Identity);

impl Authority {
    /// A new one of this name, with a key of its own.
    ///
    /// # Errors
    /// If OpenSSL fails.
    pub fn new(name: &str) -> Result<Self, ErrorStack> {
        sign(name, &[], Validity::Current, None).map(Self)
    }

    /// Its certificate in PEM, for `sslrootcert`.
    ///
    /// # Errors
    /// If OpenSSL fails.
    pub fn certificate_pem(&self) -> Result<Vec<u8>, ErrorStack> {
        self.0.certificate_pem()
    }

    /// Issues a certificate for these host names and IP addresses.
    ///
    /// # Errors
    /// If OpenSSL fails.
    pub fn issue(&self, hosts: &[&str], validity: Validity) -> Result<Identity, ErrorStack> {
        sign(name_of(hosts), hosts, validity, Some(&self.0))
    }
}

/// The common name of a server's certificate.
fn name_of<'a>(hosts: &[&'a str]) -> &'a str {
    hosts.first().copied().unwrap_or_default()
}

/// Signs a certificate with the issuer's key, or with its own; without hosts, an authority's.
fn sign(
    common_name: &str,
    hosts: &[&str],
    validity: Validity,
    issuer: Option<&Identity>,
) -> Result<Identity, ErrorStack> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
    let key = PKey::from_ec_key(EcKey::generate(&group)?)?;
    let mut name = X509NameBuilder::new()?;
    name.append_entry_by_text("CN", common_name)?;
    let name = name.build();
    let mut builder = X509Builder::new()?;
    // X.509 version 3 is encoded as 2.
    builder.set_version(2)?;
    let mut serial = BigNum::new()?;
    serial.rand(64, MsbOption::MAYBE_ZERO, false)?;
    let serial = serial.to_asn1_integer()?;
    builder.set_serial_number(&serial)?;
    builder.set_subject_name(&name)?;
    builder.set_pubkey(&key)?;
    let from = Asn1Time::from_str("20200101000000Z")?;
    builder.set_not_before(&from)?;
    let until = match validity {
        Validity::Current => Asn1Time::days_from_now(1)?,
        Validity::Expired => Asn1Time::from_str("20200102000000Z")?,
    };
    builder.set_not_after(&until)?;
    if hosts.is_empty() {
        builder.append_extension(BasicConstraints::new().critical().ca().build()?)?;
    } else {
        let mut names = SubjectAlternativeName::new();
        for host in hosts {
            match host.parse::<std::net::IpAddr>() {
                Ok(_) => names.ip(host),
                Err(_) => names.dns(host),
            };
        }
        let names = names.build(&builder.x509v3_context(None, None))?;
        builder.append_extension(names)?;
    }
    let (issuer_name, issuer_key) = match issuer {
        Some(issuer) => (issuer.certificate.subject_name(), &issuer.key),
        None => (&*name, &key),
    };
    builder.set_issuer_name(issuer_name)?;
    builder.sign(issuer_key, MessageDigest::sha256())?;
    let certificate = builder.build();
    Ok(Identity { certificate, key })
}
