//! The telemetry headers, which tell the service the SDK, the runtime and the platform, and nothing else.
//! [`RedisBuilder::telemetry`](crate::RedisBuilder::telemetry) turns them off.

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::platform;

pub(super) const RETRY: HeaderName = HeaderName::from_static("upstash-telemetry-retry");
pub(super) const SDK: HeaderName = HeaderName::from_static("upstash-telemetry-sdk");
const RUNTIME: HeaderName = HeaderName::from_static("upstash-telemetry-runtime");
const PLATFORM: HeaderName = HeaderName::from_static("upstash-telemetry-platform");

/// The environment variable that turns telemetry off if it is set and not empty.
pub(crate) const OPT_OUT: &str = "UPSTASH_DISABLE_TELEMETRY";

/// Environment variables that platforms set, and the platforms.
const PLATFORMS: [(&str, &str); 9] = [
    ("VERCEL", "vercel"),
    ("AWS_LAMBDA_FUNCTION_NAME", "aws-lambda"),
    ("AWS_REGION", "aws"),
    ("K_SERVICE", "google-cloud-run"),
    ("FUNCTIONS_WORKER_RUNTIME", "azure-functions"),
    ("FLY_APP_NAME", "fly"),
    ("RAILWAY_ENVIRONMENT", "railway"),
    ("RENDER", "render"),
    ("NETLIFY", "netlify"),
];

pub(crate) fn insert_headers(headers: &mut HeaderMap, env: impl Fn(&str) -> Option<String>) {
    let is_set = |variable: &&(&str, &str)| env(variable.0).is_some_and(|value| !value.is_empty());
    let named = PLATFORMS.iter().find(is_set).map(|(_, platform)| *platform);
    let platform = named.or_else(platform::host).unwrap_or("unknown");
    headers.insert(SDK, HeaderValue::from_static(concat!("redis-rest@", env!("CARGO_PKG_VERSION"))));
    headers.insert(RUNTIME, HeaderValue::from_static("rust"));
    headers.insert(PLATFORM, HeaderValue::from_static(platform));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_platform_is_read_from_its_variable() {
        let mut headers = HeaderMap::new();
        insert_headers(&mut headers, |name| (name == "FLY_APP_NAME").then(|| "shop".to_owned()));
        assert_eq!(headers.get(PLATFORM), Some(&HeaderValue::from_static("fly")));
        insert_headers(&mut headers, |_| None);
        assert_eq!(headers.get(PLATFORM), Some(&HeaderValue::from_static("unknown")));
    }
}
