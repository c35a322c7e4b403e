//! CORS policy for pages of other origins.

use actix_cors::Cors;

/// The policy for these origins; `*` stands for any.
pub(super) fn policy(origins: &[String]) -> Cors {
    let cors = Cors::default()
        .allowed_methods(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
        // Any requested header: libraries add headers of their own, and the rights of a page depend
        // on the token that it sends.
        .allow_any_header()
        .expose_headers([
            "ETag",
            "Idempotent-Replayed",
            "Location",
            "RateLimit",
            "RateLimit-Policy",
            "Retry-After",
            "WWW-Authenticate",
            "X-Request-ID",
        ])
        // Browsers cache a preflight for an hour, as a change of settings is rare.
        .max_age(3_600);
    if origins.iter().any(|origin| origin == "*") {
        return cors.allow_any_origin().send_wildcard();
    }
    // Credentials for the listed origins alone: with `*` any page could act for the user.
    let cors = cors.supports_credentials();
    origins
        .iter()
        .fold(cors, |cors, origin| cors.allowed_origin(origin))
}
