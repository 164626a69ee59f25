#!/usr/bin/env bash
# authority.sh FOLDER NAME: makes a mesh certificate authority as a customer would plug it into istiod: a root, and an intermediate
# that signs. FOLDER/NAME then holds istiod's four files (ca-cert.pem, ca-key.pem, cert-chain.pem, root-cert.pem).
set -euo pipefail
umask 077; mkdir -p "$1/$2"; cd "$1/$2"
openssl ecparam -name prime256v1 -genkey -noout -out root-key.pem
openssl req -x509 -new -key root-key.pem -subj "/O=mesh/CN=root-$2" -days 3650 -out root-cert.pem \
  -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign 2>/dev/null
openssl ecparam -name prime256v1 -genkey -noout -out ca-key.pem
openssl req -new -key ca-key.pem -subj "/O=mesh/CN=intermediate-$2" -out ca.csr
printf '%s\n' basicConstraints=critical,CA:TRUE,pathlen:0 keyUsage=critical,keyCertSign,cRLSign subjectKeyIdentifier=hash \
  authorityKeyIdentifier=keyid > extensions
openssl x509 -req -in ca.csr -CA root-cert.pem -CAkey root-key.pem -CAcreateserial -days 365 -extfile extensions -out ca-cert.pem 2>/dev/null
cat ca-cert.pem root-cert.pem > cert-chain.pem
