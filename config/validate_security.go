package config

import (
	"net"
	"net/netip"
	"net/url"
	"strings"
)

// security checks what TLS and the login need, and names what contradicts itself. What is in the files is looked at by who opens them.
func (c *checker) security() {
	kafka := c.settings.Kafka
	c.oneOf("kafka.security.protocol", kafka.Security.Protocol)
	if c.settings.Dev && kafka.Security.Protocol != ProtocolPlaintext {
		c.refuse("dev", true, "kafka.security.protocol is "+kafka.Security.Protocol+", and the embedded broker has neither TLS nor a login",
			"remove one of the two", "kafka.security.protocol")
	}
	c.tls(kafka.Security, kafka.TLS)
	c.sasl(kafka.Security, kafka.SASL)
}

// given is a setting that is set or not; the value of a secret is not in it.
type given struct {
	path  string
	value any
	set   bool
}

func text(path, value string) given          { return given{path, value, value != ""} }
func secret(path string, value Secret) given { return given{path, value, value.IsSet()} }

// useless refuses what is set although nothing reads it.
func (c *checker) useless(all []given, reason, advice string, related ...string) {
	for _, one := range all {
		if one.set {
			c.refuse(one.path, one.value, reason, advice, related...)
			c.mistakes[len(c.mistakes)-1].unused = true
		}
	}
}

// needs refuses one setting without another.
func (c *checker) needs(one, other given, reason, advice string) {
	if one.set && !other.set {
		c.refuse(one.path, one.value, reason, advice, other.path)
	}
}

func (c *checker) tls(security Security, s TLS) {
	ca, certificate, key := text("kafka.tls.ca_file", s.CAFile), text("kafka.tls.cert_file", s.CertFile), text("kafka.tls.key_file", s.KeyFile)
	caText, certificateText, keyText := text("kafka.tls.ca_pem", s.CAPEM), text("kafka.tls.cert_pem", s.CertPEM), secret("kafka.tls.key_pem", s.KeyPEM)
	trust, trustType := text("kafka.tls.truststore_file", s.TrustStoreFile), text("kafka.tls.truststore_type", s.TrustStoreType)
	store, storeType := text("kafka.tls.keystore_file", s.KeyStoreFile), text("kafka.tls.keystore_type", s.KeyStoreType)
	trustPassword, storePassword := secret("kafka.tls.truststore_password", s.TrustStorePassword), secret("kafka.tls.keystore_password", s.KeyStorePassword)
	keyPassword := secret("kafka.tls.key_password", s.KeyPassword)
	if !security.Encrypted() {
		c.useless([]given{ca, caText, certificate, certificateText, key, keyText, keyPassword, trust, trustType, trustPassword, store, storeType, storePassword, text("kafka.tls.server_name", s.ServerName)},
			"kafka.security.protocol is "+security.Protocol+", so nothing is encrypted and it would not be used",
			"set the protocol to SSL or SASL_SSL, or remove it", "kafka.security.protocol")
		return
	}
	for _, one := range []given{trustType, storeType} {
		if one.set {
			c.oneOf(one.path, one.value.(string))
		}
	}
	for _, pair := range [][2]given{{trust, ca}, {trust, caText}, {ca, caText}} {
		if pair[0].set && pair[1].set {
			c.refuse(pair[0].path, pair[0].value, pair[1].path+" has the authorities too", "set one of the two", pair[1].path)
		}
	}
	for _, pair := range [][2]given{{certificate, certificateText}, {key, keyText}} {
		if pair[0].set && pair[1].set {
			c.refuse(pair[0].path, pair[0].value, pair[1].path+" has the same", "set one of the two", pair[1].path)
		}
	}
	anyCertificate, anyKey := given{path: certificate.path, set: certificate.set || certificateText.set}, given{path: key.path, set: key.set || keyText.set}
	if store.set {
		c.useless([]given{certificate, certificateText, key, keyText}, "kafka.tls.keystore_file has our certificate and its key too", "set one of the two", store.path)
	} else {
		for _, one := range []given{certificate, certificateText} {
			c.needs(one, anyKey, "a certificate without its key proves nothing", "set kafka.tls.key_file too")
		}
		for _, one := range []given{key, keyText} {
			c.needs(one, anyCertificate, "a key without its certificate proves nothing", "set kafka.tls.cert_file too")
		}
	}
	c.needs(trustType, trust, "there is no trust store", "set kafka.tls.truststore_file too, or remove it")
	c.needs(trustPassword, trust, "there is no trust store", "set kafka.tls.truststore_file too, or remove it")
	c.needs(storeType, store, "there is no key store", "set kafka.tls.keystore_file too, or remove it")
	c.needs(storePassword, store, "there is no key store", "set kafka.tls.keystore_file too, or remove it")
	c.needs(keyPassword, given{path: key.path, set: anyKey.set || store.set}, "there is no key to open", "set kafka.tls.key_file or keystore_file too, or remove it")
}

func (c *checker) sasl(security Security, s SASL) {
	mechanism := text("kafka.sasl.mechanism", s.Mechanism)
	username, password := text("kafka.sasl.username", s.Username), secret("kafka.sasl.password", s.Password)
	file, address := text("kafka.sasl.token_file", s.TokenFile), text("kafka.sasl.token_url", s.TokenURL)
	client, clientSecret, scope := text("kafka.sasl.client_id", s.ClientID), secret("kafka.sasl.client_secret", s.ClientSecret), text("kafka.sasl.scope", s.Scope)
	all := []given{mechanism, username, password, file, address, client, clientSecret, scope}
	switch {
	case !security.LoggedIn():
		c.useless(all, "kafka.security.protocol is "+security.Protocol+", so there is no login and it would not be used",
			"set the protocol to SASL_SSL or SASL_PLAINTEXT, or remove it", "kafka.security.protocol")
	case !mechanism.set:
		c.refuse(mechanism.path, "", "kafka.security.protocol is "+security.Protocol+", and nothing says how to log in",
			"write one of "+strings.Join(c.rule(mechanism.path).Allowed, ", "), "kafka.security.protocol")
	case s.Mechanism == MechanismOAuth:
		c.useless([]given{username, password}, "OAUTHBEARER logs in with a token", "remove it, or change kafka.sasl.mechanism", mechanism.path)
		c.token(file, address, client, clientSecret, scope)
	default:
		c.oneOf(mechanism.path, s.Mechanism)
		c.useless([]given{file, address, client, clientSecret, scope}, s.Mechanism+" logs in with a password", "remove it, or set kafka.sasl.mechanism to OAUTHBEARER", mechanism.path)
		c.needs(mechanism, username, "it logs in with a user, and there is none", "set kafka.sasl.username")
		c.needs(mechanism, password, "it logs in with a password, and there is none", "set MILLRACE_KAFKA_SASL_PASSWORD, or kafka.sasl.password_file")
	}
}

// token checks where the token of OAUTHBEARER comes from: one place.
func (c *checker) token(file, address, client, clientSecret, scope given) {
	const mechanism = "kafka.sasl.mechanism"
	switch {
	case file.set && address.set:
		c.refuse(file.path, file.value, "kafka.sasl.token_url says where the token is fetched too", "set one of the two", address.path)
	case !file.set && !address.set:
		c.refuse(mechanism, MechanismOAuth, "it logs in with a token, and nothing says where that is", "set kafka.sasl.token_file or kafka.sasl.token_url", file.path, address.path)
	case file.set:
		c.useless([]given{client, clientSecret, scope}, "the token is read from kafka.sasl.token_file and not fetched", "remove it, or set kafka.sasl.token_url instead", file.path)
	default:
		c.tokenURL(address.value.(string))
		c.needs(address, client, "a token is fetched in somebody's name, and there is none", "set kafka.sasl.client_id")
		c.needs(address, clientSecret, "a token is fetched with a secret, and there is none", "set MILLRACE_KAFKA_SASL_CLIENT_SECRET, or kafka.sasl.client_secret_file")
	}
}

// tokenURL takes https, and http to this machine: the secret travels there.
func (c *checker) tokenURL(value string) {
	const path = "kafka.sasl.token_url"
	parsed, err := url.Parse(value)
	switch {
	case err != nil || parsed.Host == "" || parsed.Scheme != "https" && parsed.Scheme != "http":
		c.refuse(path, withoutUser(value), "it is not an address", "write one, for example https://login.example.org/token")
	case parsed.User != nil:
		c.refuse(path, parsed.Redacted(), "a secret written here is read by whoever reads this", "set kafka.sasl.client_id and kafka.sasl.client_secret_file")
	case parsed.Scheme == "http" && !onLoopback(parsed.Hostname()):
		c.refuse(path, value, "the secret would travel there in clear", "write https")
	}
}

// withoutUser cuts what stands before an @: it may be a password.
func withoutUser(value string) string {
	if _, after, found := strings.Cut(value, "@"); found {
		return "…@" + after
	}
	return value
}

func onLoopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}

// unwise are sentences about settings that are no mistake: a password in clear.
func unwise(kafka Kafka) []string {
	clear := kafka.SASL.Mechanism == MechanismPlain || kafka.SASL.Mechanism == MechanismOAuth
	if kafka.Security.Protocol != ProtocolSASLPlaintext || !clear || allOnLoopback(kafka.Brokers) {
		return nil
	}
	return []string{"kafka.sasl.mechanism " + kafka.SASL.Mechanism + " with kafka.security.protocol SASL_PLAINTEXT sends the password or token in clear: SASL_SSL does not"}
}

func allOnLoopback(brokers []string) bool {
	for _, broker := range brokers {
		if host, _, err := net.SplitHostPort(broker); err != nil || !onLoopback(host) {
			return false
		}
	}
	return true
}
