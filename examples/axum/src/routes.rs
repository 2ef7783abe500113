//! The routes: users and the leaderboard. Each handler takes the client from axum's state.

use axum::extract::{FromRef, Path, Query, State};
use axum::routing::{get, post};
use axum::{Json, Router, middleware};
use http::StatusCode;
use redis_model::Cursor;
use redis_model::commands::sorted_set::{ZAddOptions, ZRange};
use redis_model::prelude::*;
use serde_derive::{Deserialize, Serialize};
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::failure::{Failure, Result};
use crate::models::{Country, LEADERBOARD, Session, User};
use crate::{session, telemetry};

/// The state of the handlers. Clones of the client share its connections.
#[derive(Debug, Clone)]
pub(crate) struct App {
    pub(crate) redis: Redis,
    pub(crate) post: Post,
}

/// An e-mail with a login link.
#[derive(Debug)]
pub(crate) struct Mail {
    pub(crate) to: String,
    pub(crate) token: Uuid,
}

/// Stands for a service that sends e-mails.
pub(crate) type Post = mpsc::Sender<Mail>;

impl FromRef<App> for Redis {
    fn from_ref(app: &App) -> Self {
        app.redis.clone()
    }
}

impl FromRef<App> for Post {
    fn from_ref(app: &App) -> Self {
        app.post.clone()
    }
}

pub(crate) fn router(app: App) -> Router {
    Router::new()
        .route("/users", post(register).get(list))
        .route("/users/{id}", get(show))
        .route("/login", post(session::send_link))
        .route("/session", post(session::log_in).delete(session::log_out))
        .route("/me", get(me).patch(change))
        .route("/scores", post(score))
        .layer(middleware::from_fn(telemetry::request_span))
        .with_state(app)
}

#[derive(Deserialize)]
struct Registration {
    email: String,
    name: String,
    country: Country,
}

/// One script checks that nobody has the e-mail address, and writes the user and its index entries.
async fn register(State(redis): State<Redis>, Json(new): Json<Registration>) -> Result<(StatusCode, Json<User>)> {
    let Registration { email, name, country } = new;
    let mut user = User { id: User::generate_id(), email: email.to_lowercase(), name, country, version: 0 };
    user.version = user.insert(&redis).await?;
    Ok((StatusCode::CREATED, Json(user)))
}

#[derive(Deserialize)]
struct Filter {
    country: Country,
    after: Option<Cursor>,
}

/// The public part of a user.
#[derive(Serialize)]
struct Profile {
    id: Uuid,
    name: String,
}

impl From<User> for Profile {
    fn from(user: User) -> Self {
        Profile { id: user.id, name: user.name }
    }
}

#[derive(Serialize)]
struct Profiles {
    users: Vec<Profile>,
    /// The `after` of the next page.
    next: Option<Cursor>,
}

/// Returns the users of a country, in pages of two. A cursor is text, so the client keeps it, not the server.
async fn list(State(redis): State<Redis>, Query(filter): Query<Filter>) -> Result<Json<Profiles>> {
    let mut query = User::query().eq(User::COUNTRY, filter.country).limit(2);
    if let Some(cursor) = filter.after {
        query = query.after(cursor);
    }
    let page = query.fetch(&redis).await?;
    Ok(Json(Profiles { users: page.items.into_iter().map(Profile::from).collect(), next: page.cursor }))
}

async fn show(State(redis): State<Redis>, Path(id): Path<Uuid>) -> Result<Json<Profile>> {
    let user = User::load(&redis, id).await?.ok_or_else(Failure::not_found)?;
    Ok(Json(user.into()))
}

async fn me(State(redis): State<Redis>, session: Session) -> Result<Json<User>> {
    let user = session.user.load(&redis).await?.ok_or_else(Failure::not_found)?;
    Ok(Json(user))
}

#[derive(Deserialize)]
struct Change {
    /// The version that the client has read.
    version: u64,
    name: Option<String>,
    country: Option<Country>,
}

#[derive(Serialize)]
struct Changed {
    version: Option<u64>,
}

/// Changes the user in one command. It fails if somebody else has changed the user since the client has read it.
async fn change(State(redis): State<Redis>, session: Session, Json(change): Json<Change>) -> Result<Json<Changed>> {
    let mut patch = User::patch(*session.user.id()).if_version(change.version);
    if let Some(name) = change.name {
        patch = patch.set(User::NAME, name);
    }
    if let Some(country) = change.country {
        patch = patch.set(User::COUNTRY, country);
    }
    let version = patch.returning(User::VERSION).exec(&redis).await?;
    Ok(Json(Changed { version }))
}

#[derive(Deserialize)]
struct Score {
    points: u32,
}

#[derive(Serialize)]
struct Leaderboard {
    /// The rank of this player; the best is 1.
    rank: Option<u64>,
    top: Vec<(String, f64)>,
}

/// One request stores the score if it is the player's best, and reads the leaderboard.
async fn score(State(redis): State<Redis>, session: Session, Json(score): Json<Score>) -> Result<Json<Leaderboard>> {
    let player = session.user.id();
    let best = ZAddOptions::new().gt();
    let (_, rank, top) = redis
        .pipeline()
        .zadd_with(LEADERBOARD, (f64::from(score.points), player), best)
        .zrevrank(LEADERBOARD, player)
        .zrange_withscores::<Uuid>(LEADERBOARD, ZRange::rank(0, 9).rev())
        .exec()
        .await?;
    let users = User::load_many(&redis, top.iter().map(|(player, _)| *player)).await?;
    let names = users.into_iter().map(|user| user.map_or_else(|| "somebody".into(), |user| user.name));
    let top = names.zip(top.iter().map(|(_, score)| *score)).collect();
    Ok(Json(Leaderboard { rank: rank.map(|better| better + 1), top }))
}
