#!/bin/sh
# Makes a root, and a certificate for `localhost` that the root has signed, for the tests beside this folder. They are valid
# from 2020 to 2120, whatever the clock of the machine says.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cd "$(mktemp -d)"
cat > ca.conf <<CONF
[ca]
default_ca = here
[here]
database = index
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = any
[any]
commonName = supplied
[root]
basicConstraints = critical,CA:TRUE
[localhost]
basicConstraints = critical,CA:FALSE
subjectAltName = DNS:localhost
CONF
: > index
new="openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
sign="openssl ca -batch -notext -config ca.conf -startdate 20200101000000Z -enddate 21200101000000Z -keyfile root.pem"
$new -keyout root.pem -out root.csr -subj "/CN=A root for tests"
$sign -selfsign -extensions root -in root.csr -out root.crt
$new -keyout localhost.pem -out localhost.csr -subj /CN=localhost
$sign -cert root.crt -extensions localhost -in localhost.csr -out localhost.crt
openssl x509 -in root.crt -outform DER -out "$here/root.der"
openssl x509 -in localhost.crt -outform DER -out "$here/localhost.der"
openssl pkcs8 -topk8 -nocrypt -in localhost.pem -outform DER -out "$here/localhost-key.der"
