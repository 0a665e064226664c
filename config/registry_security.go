package config

import "slices"

func securitySettings() []Setting { return slices.Concat(tlsSettings(), saslSettings()) }

func tlsSettings() []Setting {
	types := []string{StorePEM, StorePKCS12, StoreJKS}
	return []Setting{
		{Path: "kafka.security.protocol", Kind: KindText, Default: ProtocolPlaintext, Kafka: "security.protocol", Spring: "spring.kafka.security.protocol",
			Allowed: []string{ProtocolPlaintext, ProtocolSSL, ProtocolSASLPlaintext, ProtocolSASLSSL},
			Doc:     "Whether connections to the brokers have TLS (SSL) and a login (SASL)."},
		{Path: "kafka.tls.ca_file", Kind: KindText, Derived: "the authorities of the system",
			Doc: "PEM file with the authorities that sign the brokers' certificates. A certificate is read anew at the next connection after its file changed."},
		{Path: "kafka.tls.cert_file", Kind: KindText, Derived: "none",
			Doc: "PEM file with our certificate, for brokers that ask for one (ssl.client.auth)."},
		{Path: "kafka.tls.key_file", Kind: KindText, Derived: "none",
			Doc: "PEM file with the private key of kafka.tls.cert_file; it may be encrypted (PKCS 8)."},
		{Path: "kafka.tls.ca_pem", Kind: KindText, Derived: "none", Kafka: "ssl.truststore.certificates", Spring: "spring.kafka.ssl.trust-store-certificates",
			Doc: "The authorities themselves, as PEM, in place of kafka.tls.ca_file."},
		{Path: "kafka.tls.cert_pem", Kind: KindText, Derived: "none", Kafka: "ssl.keystore.certificate.chain", Spring: "spring.kafka.ssl.key-store-certificate-chain",
			Doc: "Our certificate itself, as PEM, in place of kafka.tls.cert_file."},
		{Path: "kafka.tls.key_pem", Kind: KindSecret, Derived: "none", Kafka: "ssl.keystore.key", Spring: "spring.kafka.ssl.key-store-key",
			Doc: "The private key itself, as PEM, in place of kafka.tls.key_file."},
		{Path: "kafka.tls.key_password", Kind: KindSecret, Derived: "for a key store its own password", Kafka: "ssl.key.password", Spring: "spring.kafka.ssl.key-password",
			Doc: "What opens the private key."},
		{Path: "kafka.tls.truststore_file", Kind: KindText, Derived: "none", Kafka: "ssl.truststore.location", Spring: "spring.kafka.ssl.trust-store-location",
			Doc: "The authorities in a store, instead of kafka.tls.ca_file."},
		{Path: "kafka.tls.truststore_type", Kind: KindText, Derived: "what the file is", Allowed: types, Kafka: "ssl.truststore.type", Spring: "spring.kafka.ssl.trust-store-type",
			Doc: "What the trust store is. A file of Java's that is the other of its two types is taken as what it is."},
		{Path: "kafka.tls.truststore_password", Kind: KindSecret, Derived: "none", Kafka: "ssl.truststore.password", Spring: "spring.kafka.ssl.trust-store-password",
			Doc: "What opens the trust store."},
		{Path: "kafka.tls.keystore_file", Kind: KindText, Derived: "none", Kafka: "ssl.keystore.location", Spring: "spring.kafka.ssl.key-store-location",
			Doc: "Our certificate and its private key in a store, instead of kafka.tls.cert_file and key_file."},
		{Path: "kafka.tls.keystore_type", Kind: KindText, Derived: "what the file is", Allowed: types, Kafka: "ssl.keystore.type", Spring: "spring.kafka.ssl.key-store-type",
			Doc: "What the key store is."},
		{Path: "kafka.tls.keystore_password", Kind: KindSecret, Derived: "none", Kafka: "ssl.keystore.password", Spring: "spring.kafka.ssl.key-store-password",
			Doc: "What opens the key store."},
		{Path: "kafka.tls.server_name", Kind: KindText, Derived: "the host that is connected to",
			Doc: "The name that the brokers' certificates have. It is always checked; there is no switch against it."},
	}
}

func saslSettings() []Setting {
	return []Setting{
		{Path: "kafka.sasl.mechanism", Kind: KindText, Derived: "none", Allowed: []string{MechanismPlain, MechanismSCRAM256, MechanismSCRAM512, MechanismOAuth},
			Kafka: "sasl.mechanism", Spring: "spring.kafka.properties.sasl.mechanism",
			Doc: "How we log in; with kafka.security.protocol SASL_SSL or SASL_PLAINTEXT."},
		{Path: "kafka.sasl.username", Kind: KindText, Derived: "none", Kafka: "sasl.jaas.config", Spring: "spring.kafka.properties.sasl.jaas.config",
			Doc: "The user of PLAIN and SCRAM."},
		{Path: "kafka.sasl.password", Kind: KindSecret, Derived: "none", Kafka: "sasl.jaas.config", Spring: "spring.kafka.properties.sasl.jaas.config",
			Doc: "The password of PLAIN and SCRAM. From a file it is read again: SCRAM at each connection; PLAIN by consumers that were refused, else at the start."},
		{Path: "kafka.sasl.token_file", Kind: KindText, Derived: "none", Kafka: "sasl.oauthbearer.token.endpoint.url (file:)", Spring: "spring.kafka.properties.sasl.oauthbearer.token.endpoint.url",
			Doc: "The file with the token of OAUTHBEARER, read anew for each connection."},
		{Path: "kafka.sasl.token_url", Kind: KindText, Derived: "none", Kafka: "sasl.oauthbearer.token.endpoint.url", Spring: "spring.kafka.properties.sasl.oauthbearer.token.endpoint.url",
			Doc: "Where the token of OAUTHBEARER is fetched and renewed, by https, with the grant client_credentials."},
		{Path: "kafka.sasl.client_id", Kind: KindText, Derived: "none", Kafka: "sasl.oauthbearer.client.credentials.client.id", Spring: "spring.kafka.properties.sasl.jaas.config",
			Doc: "Who fetches the token."},
		{Path: "kafka.sasl.client_secret", Kind: KindSecret, Derived: "none", Kafka: "sasl.oauthbearer.client.credentials.client.secret", Spring: "spring.kafka.properties.sasl.jaas.config",
			Doc: "The secret of who fetches the token."},
		{Path: "kafka.sasl.scope", Kind: KindText, Derived: "none", Kafka: "sasl.oauthbearer.scope", Spring: "spring.kafka.properties.sasl.jaas.config",
			Doc: "What the token is asked for; several with spaces."},
	}
}
