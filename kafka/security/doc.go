// Package security owns how a connection to a broker is secured and who we say we are on it: the stores of certificates and keys, TLS, and
// what SCRAM and OAUTHBEARER send. It never speaks Kafka's protocol, and never leaves a broker's certificate unchecked.
package security
