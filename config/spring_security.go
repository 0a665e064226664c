package config

// springSecurity has the rules of TLS and of the login. Passwords may stand in a Spring file, as they do there; they are never printed.
func springSecurity() []springRule {
	return []springRule{
		clientRule("kafka.security.protocol", "security.protocol", "security.protocol", "", springUpper, springUpper),
		clientRule("kafka.tls.truststore_file", "ssl.trust-store-location", "ssl.truststore.location",
			"`file:` and `classpath:` are understood; `classpath:` is beside the file.", springResource, springText),
		clientRule("kafka.tls.truststore_type", "ssl.trust-store-type", "ssl.truststore.type", "", springUpper, springUpper),
		clientRule("kafka.tls.truststore_password", "ssl.trust-store-password", "ssl.truststore.password", "", springText, springText).hidden(),
		clientRule("kafka.tls.keystore_file", "ssl.key-store-location", "ssl.keystore.location",
			"`file:` and `classpath:` are understood; `classpath:` is beside the file.", springResource, springText),
		clientRule("kafka.tls.keystore_type", "ssl.key-store-type", "ssl.keystore.type", "", springUpper, springUpper),
		clientRule("kafka.tls.keystore_password", "ssl.key-store-password", "ssl.keystore.password", "", springText, springText).hidden(),
		clientRule("kafka.tls.key_password", "ssl.key-password", "ssl.key.password", "", springText, springText).hidden(),
		clientRule("kafka.tls.ca_pem", "ssl.trust-store-certificates", "ssl.truststore.certificates", "The certificates themselves, as PEM.", springPEMText, springPEMText).hidden(),
		clientRule("kafka.tls.cert_pem", "ssl.key-store-certificate-chain", "ssl.keystore.certificate.chain", "The certificates themselves, as PEM.", springPEMText, springPEMText).hidden(),
		clientRule("kafka.tls.key_pem", "ssl.key-store-key", "ssl.keystore.key", "The key itself, as PEM.", springPEMText, springPEMText).hidden(),
		clientRule("kafka.sasl.mechanism", "", "sasl.mechanism", "", nil, springUpper),
		loginRule("kafka.sasl.username", "`username` of PlainLoginModule and ScramLoginModule.", passwordModule, "username"),
		loginRule("kafka.sasl.password", "`password` of PlainLoginModule and ScramLoginModule.", passwordModule, "password"),
		clientRule("kafka.sasl.token_file", "", "sasl.oauthbearer.token.endpoint.url", "With `file:` before it.", nil, springTokenFile),
		clientRule("kafka.sasl.token_url", "", "sasl.oauthbearer.token.endpoint.url", "", nil, springTokenURL),
		loginRule("kafka.sasl.client_id", "`clientId` of OAuthBearerLoginModule.", tokenModule, "clientId", "oauth.client.id").
			also("sasl.oauthbearer.client.credentials.client.id"),
		loginRule("kafka.sasl.client_secret", "`clientSecret` of OAuthBearerLoginModule.", tokenModule, "clientSecret", "oauth.client.secret").
			also("sasl.oauthbearer.client.credentials.client.secret"),
		loginRule("kafka.sasl.scope", "`scope` of OAuthBearerLoginModule.", tokenModule, "scope", "oauth.scope").
			also("sasl.oauthbearer.scope"),
	}
}

// The login modules are told apart by what they log in with.
const (
	passwordModule = "ScramLoginModule"
	tokenModule    = "OAuthBearerLoginModule"
)

// loginRule is a rule for options of sasl.jaas.config.
func loginRule(setting, doc, module string, options ...string) springRule {
	read := springLogin(module, options...)
	return clientRule(setting, "", "sasl.jaas.config", doc, nil, read).hidden()
}

// also lets Kafka's own name of the same come before what a rule has.
func (r springRule) also(kafka string) springRule {
	own := clientRule(r.setting, "", kafka, "", nil, springText).hidden()
	r.names = append(r.names, own.names...)
	return r
}

// loginOptions are all options of a login that something is made of.
func loginOptions() []string {
	return []string{"username", "password", "clientId", "clientSecret", "scope", "oauth.client.id", "oauth.client.secret", "oauth.scope"}
}
