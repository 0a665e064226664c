package config

// Security is how the connections to the brokers are secured.
type Security struct {
	// Protocol is security.protocol: PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL. Default PLAINTEXT.
	Protocol string `koanf:"protocol"`
}

// The values of kafka.security.protocol.
const (
	// ProtocolPlaintext has neither TLS nor a login.
	ProtocolPlaintext = "PLAINTEXT"
	// ProtocolSSL has TLS, and with a certificate of our own a login by it.
	ProtocolSSL = "SSL"
	// ProtocolSASLPlaintext has a login and no TLS.
	ProtocolSASLPlaintext = "SASL_PLAINTEXT"
	// ProtocolSASLSSL has both.
	ProtocolSASLSSL = "SASL_SSL"
)

// Encrypted says that the connections have TLS.
func (s Security) Encrypted() bool {
	return s.Protocol == ProtocolSSL || s.Protocol == ProtocolSASLSSL
}

// LoggedIn says that the connections begin with a login (SASL).
func (s Security) LoggedIn() bool {
	return s.Protocol == ProtocolSASLPlaintext || s.Protocol == ProtocolSASLSSL
}

// TLS is whom we trust, and who we are, on an encrypted connection. That a broker's certificate has its host name is always checked.
type TLS struct {
	// CAFile has the certificates of the authorities that sign those of the brokers, as PEM. Default: those of the system.
	CAFile string `koanf:"ca_file"`
	// CertFile has our certificate and those between it and its authority, as PEM. Default: none.
	CertFile string `koanf:"cert_file"`
	// KeyFile has the private key of CertFile, as PEM. Default: none.
	KeyFile string `koanf:"key_file"`
	// CAPEM, CertPEM and KeyPEM are the certificates and the key themselves, as PEM, each in place of its file: ssl.truststore.certificates,
	// ssl.keystore.certificate.chain and ssl.keystore.key. Default: none.
	CAPEM   string `koanf:"ca_pem"`
	CertPEM string `koanf:"cert_pem"`
	KeyPEM  Secret `koanf:"key_pem"`
	// KeyPassword opens the private key, in KeyFile or in the key store (ssl.key.password). Default: for a key store its own password.
	KeyPassword Secret `koanf:"key_password"`
	// TrustStoreFile is ssl.truststore.location: the same as CAFile in a store of Java's. Default: none.
	TrustStoreFile string `koanf:"truststore_file"`
	// TrustStoreType is ssl.truststore.type: PEM, PKCS12 or JKS. Default: what the file is.
	TrustStoreType string `koanf:"truststore_type"`
	// TrustStorePassword is ssl.truststore.password.
	TrustStorePassword Secret `koanf:"truststore_password"`
	// KeyStoreFile is ssl.keystore.location: the same as CertFile and KeyFile in a store of Java's. Default: none.
	KeyStoreFile string `koanf:"keystore_file"`
	// KeyStoreType is ssl.keystore.type: PEM, PKCS12 or JKS. Default: what the file is.
	KeyStoreType string `koanf:"keystore_type"`
	// KeyStorePassword is ssl.keystore.password.
	KeyStorePassword Secret `koanf:"keystore_password"`
	// ServerName is the name that the brokers' certificates have, where it is not the host that is connected to. Default: the host.
	ServerName string `koanf:"server_name"`
}

// The types of a store of certificates and keys.
const (
	// StorePEM is text with certificates and keys.
	StorePEM = "PEM"
	// StorePKCS12 is the standard's and Java's since 9.
	StorePKCS12 = "PKCS12"
	// StoreJKS is Java's own.
	StoreJKS = "JKS"
)

// SASL is the login.
type SASL struct {
	// Mechanism is sasl.mechanism: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER. No default.
	Mechanism string `koanf:"mechanism"`
	// Username and Password log in with PLAIN and SCRAM.
	Username string `koanf:"username"`
	Password Secret `koanf:"password"`
	// TokenFile has the token of OAUTHBEARER. It is read anew for each connection, so whoever renews the token writes it there.
	TokenFile string `koanf:"token_file"`
	// TokenURL is where a token of OAUTHBEARER is fetched (sasl.oauthbearer.token.endpoint.url), with the grant client_credentials.
	TokenURL string `koanf:"token_url"`
	// ClientID and ClientSecret are who fetches it, Scope is what for.
	ClientID     string `koanf:"client_id"`
	ClientSecret Secret `koanf:"client_secret"`
	Scope        string `koanf:"scope"`
}

// The values of kafka.sasl.mechanism.
const (
	// MechanismPlain sends the password as it is.
	MechanismPlain = "PLAIN"
	// MechanismSCRAM256 proves that the password is known, without sending it.
	MechanismSCRAM256 = "SCRAM-SHA-256"
	// MechanismSCRAM512 is the same with a longer digest.
	MechanismSCRAM512 = "SCRAM-SHA-512"
	// MechanismOAuth sends a token that somebody else gave.
	MechanismOAuth = "OAUTHBEARER"
)
