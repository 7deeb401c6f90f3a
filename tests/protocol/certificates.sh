# For the tests of TLS: a CA of their own with an intermediate, and certificates by it. Sourced with $certificates,
# the folder to make them in.

# run COMMAND...: quietly
quietly() {
	"$@" >/dev/null 2>&1
}

# authority: ca.pem, and an intermediate that signs the rest
authority() {
	local ec='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'

	mkdir -p "$certificates"
	quietly openssl req -x509 $ec -keyout "$certificates/ca.key" -out "$certificates/ca.pem" -days 30 \
		-subj '/CN=Test CA' -addext 'basicConstraints=critical,CA:TRUE' -addext 'keyUsage=critical,keyCertSign,cRLSign'
	quietly openssl req $ec -keyout "$certificates/between.key" -out "$certificates/between.csr" -subj '/CN=Test Intermediate'
	sign between ca 'basicConstraints=critical,CA:TRUE' 'keyUsage=critical,keyCertSign,cRLSign' 'subjectKeyIdentifier=hash'
}

# sign NAME ISSUER EXTENSION...: NAME.csr becomes NAME.leaf
sign() {
	local name=$1 issuer=$2
	shift 2
	quietly openssl x509 -req -in "$certificates/$name.csr" -CA "$certificates/$issuer.pem" -CAkey "$certificates/$issuer.key" \
		-CAcreateserial -out "$certificates/$name.leaf" -days "${days:-30}" -extfile <(printf '%s\n' "$@")
	if [ "$issuer" = ca ]; then
		cp "$certificates/$name.leaf" "$certificates/$name.pem"
	fi
}

# certificate NAME HOST [KEY]: NAME.pem, the whole chain, and NAME.key
certificate() {
	quietly openssl req -newkey ${3:-ec -pkeyopt ec_paramgen_curve:P-256} -nodes -keyout "$certificates/$1.key" \
		-out "$certificates/$1.csr" -subj "/CN=$2"
	sign "$1" between "subjectAltName=DNS:$2,IP:127.0.0.1" 'basicConstraints=CA:FALSE' \
		'keyUsage=critical,digitalSignature' 'extendedKeyUsage=serverAuth'
	cat "$certificates/$1.leaf" "$certificates/between.pem" >"$certificates/$1.pem"
	chmod 600 "$certificates/$1.key"
}
