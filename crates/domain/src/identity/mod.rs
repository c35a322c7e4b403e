//! Accounts, sign-in, sessions, refresh tokens and the limits of sign-in attempts.

mod account;
mod attempt;
mod attempt_limiter;
mod attempt_repository;
mod client_network;
mod digest;
mod filter;
mod known_networks;
mod names;
mod password;
mod refresh_token;
mod refusal;
mod repository;
mod service;
mod staff_session;
mod staff_session_repository;
mod staff_sessions;
mod token_claims;

pub use account::{
    Account, ChangeEmail, ChangePassword, Credentials, EndSessions, NewAccount, Register,
    ResetUser, UpdateUser, UserChange, decide_email, decide_end_of_sessions, decide_first_staff,
    decide_password, decide_registration, decide_role, decide_staff, decide_user_reset,
    decide_user_update,
};
pub use attempt::{
    ATTEMPT_LIFE, Attempt, AttemptCount, AttemptKey, AttemptRule, AttemptSettings, LimitedAction,
    OnSuccess, decide_attempt,
};
pub use attempt_limiter::{AttemptLimiter, SignInPriority};
pub use attempt_repository::AttemptRepository;
pub use client_network::ClientNetwork;
pub use digest::{RefreshDigest, SessionDigest};
pub use filter::{UserField, UserFilter};
pub use known_networks::{
    KNOWN_NETWORK_LIFE, KnownNetwork, KnownNetworkKey, MAX_KNOWN_NETWORKS, decide_known_network,
};
pub use names::{Email, LoginName, NameConflicts, Username, decide_names, trim_invisible};
pub use password::{Password, PasswordHash};
pub use refresh_token::{
    LONGEST_FAMILY, MAX_FAMILIES, REUSE_GRACE, Refresh, RefreshToken, decide_new_family,
    decide_refresh, decide_sign_out,
};
pub use refusal::IdentityRefusal;
pub use repository::AccountRepository;
pub use service::{AccountSettings, Accounts, HashedUser, NewUser, Session, SignedIn, TokenPair};
pub use staff_session::{
    MAX_SESSIONS, SESSION_IDLE, SESSION_LIFE, StaffSession, decide_ended_sessions, decide_sign_in,
    decide_use,
};
pub use staff_session_repository::StaffSessionRepository;
pub use staff_sessions::{StaffSessions, StaffSignIn};
pub use token_claims::{TokenClaims, decide_session};

#[cfg(any(test, feature = "test-support"))]
pub use {
    attempt_repository::MockAttemptRepository, repository::MockAccountRepository,
    staff_session_repository::MockStaffSessionRepository,
};
