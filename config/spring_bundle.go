package config

import (
	"slices"
	"strings"

	"github.com/prantikov/millrace/config/spring"
)

// springBundle has the rules of a bundle of certificates (spring.ssl.bundle.jks.NAME and .pem.NAME), when Kafka's clients use one.
func springBundle(bundle string) []springRule {
	if bundle == "" {
		return nil
	}
	store, text := "spring.ssl.bundle.jks."+bundle+".", "spring.ssl.bundle.pem."+bundle+"."
	const doc = "With `spring.kafka.ssl.bundle=<bundle>`."
	return []springRule{
		plainRule("kafka.tls.truststore_file", doc, springResource, store+"truststore.location"),
		plainRule("kafka.tls.truststore_type", doc, springUpper, store+"truststore.type"),
		plainRule("kafka.tls.truststore_password", doc, springText, store+"truststore.password").hidden(),
		plainRule("kafka.tls.keystore_file", doc, springResource, store+"keystore.location"),
		plainRule("kafka.tls.keystore_type", doc, springUpper, store+"keystore.type"),
		plainRule("kafka.tls.keystore_password", doc, springText, store+"keystore.password").hidden(),
		plainRule("kafka.tls.key_password", doc, springText, store+"key.password", text+"keystore.private-key-password").hidden(),
		plainRule("kafka.tls.ca_file", doc, springPEMFile, text+"truststore.certificate").hidden(),
		plainRule("kafka.tls.cert_file", doc, springPEMFile, text+"keystore.certificate").hidden(),
		plainRule("kafka.tls.key_file", doc, springPEMFile, text+"keystore.private-key").hidden(),
		plainRule("kafka.tls.ca_pem", doc, springPEMText, text+"truststore.certificate").hidden(),
		plainRule("kafka.tls.cert_pem", doc, springPEMText, text+"keystore.certificate").hidden(),
		plainRule("kafka.tls.key_pem", doc, springPEMText, text+"keystore.private-key").hidden(),
	}
}

// springPEMFile and springPEMText divide what Spring has in one: the file with a certificate, or the certificate.
func springPEMFile(text string, at spring.Property) springValue {
	if spring.IsPEM(text) {
		return springValue{}
	}
	return springResource(text, at)
}

func springPEMText(text string, _ spring.Property) springValue {
	if !spring.IsPEM(text) {
		return springValue{}
	}
	return springValue{value: spring.PEM(text)}
}

// checkBundle refuses a bundle that nothing defines: the clients would have no certificates.
func (m *springMapping) checkBundle(bundle string) {
	if bundle == "" {
		return
	}
	prefixes := []string{spring.Uniform("spring.ssl.bundle.jks." + bundle + "."), spring.Uniform("spring.ssl.bundle.pem." + bundle + ".")}
	if !slices.ContainsFunc(m.effective(), func(property spring.Property) bool {
		return strings.HasPrefix(property.Key, prefixes[0]) || strings.HasPrefix(property.Key, prefixes[1])
	}) {
		m.mistakes = append(m.mistakes, &Mistake{Path: "spring.kafka.ssl.bundle", Value: quoted(bundle), Reason: "nothing defines a bundle of this name",
			Advice: "define spring.ssl.bundle.jks." + bundle + " or spring.ssl.bundle.pem." + bundle + ", or correct the name"})
	}
}
