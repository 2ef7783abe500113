//! Login by a link, and the session that it opens.
//!
//! There are no passwords: the link is sent to the user's e-mail address. It works once, within ten minutes.

use axum::Json;
use axum::extract::{FromRef, FromRequestParts, State};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use http::StatusCode;
use http::request::Parts;
use redis_model::Ref;
use redis_model::commands::expiry::Expiry;
use redis_model::commands::string::SetOptions;
use redis_model::prelude::*;
use serde_derive::Deserialize;
use uuid::Uuid;

use crate::failure::{Failure, Result};
use crate::models::{Session, User, login_key};
use crate::routes::{Mail, Post};

const COOKIE: &str = "session";

/// A handler with an argument of this type is only called with a cookie of a session that exists.
impl<S: Send + Sync> FromRequestParts<S> for Session
where
    Redis: FromRef<S>,
{
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let jar = CookieJar::from_headers(&parts.headers);
        let id: Uuid =
            jar.get(COOKIE).and_then(|cookie| cookie.value().parse().ok()).ok_or_else(Failure::unauthorized)?;
        Session::load(&Redis::from_ref(state), id).await?.ok_or_else(Failure::unauthorized)
    }
}

#[derive(Deserialize)]
pub(crate) struct Address {
    email: String,
}

/// Sends a link. The response is the same if nobody has the address.
pub(crate) async fn send_link(
    State(redis): State<Redis>,
    State(post): State<Post>,
    Json(address): Json<Address>,
) -> Result<StatusCode> {
    if let Some(user) = User::find_by(&redis, User::EMAIL, address.email.to_lowercase()).await? {
        let token = Uuid::new_v4();
        redis.set_with(login_key(token), user.id, SetOptions::new().expire(Expiry::seconds(600))).await?;
        // If the queue is full or closed, the user asks for another link.
        let _ = post.try_send(Mail { to: user.email, token });
    }
    Ok(StatusCode::ACCEPTED)
}

#[derive(Deserialize)]
pub(crate) struct Link {
    token: Uuid,
}

/// Opens a session. GETDEL reads the key and deletes it in one step, so only one request can use a token.
pub(crate) async fn log_in(
    State(redis): State<Redis>,
    jar: CookieJar,
    Json(link): Json<Link>,
) -> Result<(StatusCode, CookieJar)> {
    // Without `exactly_once`, a lost reply would use up the link.
    let user: Option<Uuid> = redis.getdel(login_key(link.token)).exactly_once().await?;
    let session = Session { id: Uuid::new_v4(), user: Ref::new(user.ok_or_else(Failure::unauthorized)?) };
    session.insert(&redis).await?;
    Ok((StatusCode::CREATED, jar.add(cookie(session.id.to_string()))))
}

/// Ends the session on the server: a copy of the cookie does not work either.
pub(crate) async fn log_out(
    State(redis): State<Redis>,
    session: Session,
    jar: CookieJar,
) -> Result<(StatusCode, CookieJar)> {
    Session::delete(&redis, session.id).await?;
    Ok((StatusCode::NO_CONTENT, jar.remove(cookie(String::new()))))
}

/// Scripts in a page cannot read the cookie, and another site cannot make the browser send it with a POST. A release
/// build is expected to run behind HTTPS.
fn cookie(value: String) -> Cookie<'static> {
    Cookie::build((COOKIE, value))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(!cfg!(debug_assertions))
        .build()
}
