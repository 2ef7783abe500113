//! A port in place of API Gateway: HTTP requests become events of version 2, and their answers HTTP responses.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::header::{COOKIE, SET_COOKIE, USER_AGENT};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use database::say;
use serde_json::{Map, Value, json};

use crate::runtime::Function;

/// As much as an event of API Gateway can carry.
const MAX_BODY: usize = 10 << 20;

pub(crate) fn router(function: Function) -> Router {
    Router::new().fallback(invoke).with_state(function)
}

async fn invoke(State(function): State<Function>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, MAX_BODY).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    match function.invoke(event(&parts, &body).to_string()).await {
        Ok(answer) => response(&answer).unwrap_or_else(|| StatusCode::BAD_GATEWAY.into_response()),
        Err(error) => {
            say(&format!("The function failed: {error}"));
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Returns the event of a request.
pub(crate) fn event(parts: &Parts, body: &Bytes) -> Value {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let mut headers = Map::new();
    for name in parts.headers.keys().filter(|name| **name != COOKIE) {
        let values: Vec<_> = parts.headers.get_all(name).iter().map(text).collect();
        headers.insert(name.to_string(), values.join(",").into());
    }
    let cookies: Vec<_> = parts.headers.get_all(COOKIE).iter().map(text).collect();
    let (path, is_text) = (parts.uri.path(), str::from_utf8(body).is_ok());
    json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": parts.uri.query().unwrap_or_default(),
        "cookies": cookies,
        "headers": headers,
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "local",
            "domainName": "localhost",
            "domainPrefix": "local",
            "http": {
                "method": parts.method.as_str(),
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": parts.headers.get(USER_AGENT).map(text).unwrap_or_default(),
            },
            "requestId": "local",
            "routeKey": "$default",
            "stage": "$default",
            "time": "01/Jan/1970:00:00:00 +0000",
            "timeEpoch": 0,
        },
        "body": if is_text { String::from_utf8_lossy(body).into() } else { BASE64_STANDARD.encode(body) },
        "isBase64Encoded": !is_text,
    })
}

/// Returns the response, or `None` if the answer is not one of API Gateway's.
fn response(answer: &str) -> Option<Response> {
    let answer: Value = serde_json::from_str(answer).ok()?;
    let body = answer.get("body").and_then(Value::as_str).unwrap_or_default();
    let is_base64 = answer.get("isBase64Encoded").and_then(Value::as_bool).unwrap_or_default();
    let body = if is_base64 { BASE64_STANDARD.decode(body).ok()? } else { body.as_bytes().to_vec() };
    let mut response = Response::new(body.into());
    let status = answer.get("statusCode")?.as_u64()?;
    *response.status_mut() = StatusCode::from_u16(u16::try_from(status).ok()?).ok()?;
    for (name, value) in answer.get("headers").and_then(Value::as_object).into_iter().flatten() {
        let (name, value) = (HeaderName::try_from(name).ok()?, HeaderValue::try_from(value.as_str()?).ok()?);
        response.headers_mut().append(name, value);
    }
    for cookie in answer.get("cookies").and_then(Value::as_array).into_iter().flatten() {
        response.headers_mut().append(SET_COOKIE, HeaderValue::try_from(cookie.as_str()?).ok()?);
    }
    Some(response)
}
