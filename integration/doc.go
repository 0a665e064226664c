// Package integration owns the tests that run the real binary as a user does, as processes, against a broker in another process, and count
// every event by its position. It never calls the code under test: it starts, signals and kills it, and reads what it left.
//
// The broker is an embedded one, started as a process of its own, or the Kafka that MILLRACE_TEST_BROKERS names; tests that stop or kill
// the broker always start their own. MILLRACE_SOAK=1 makes them longer: more kills, longer outages.
package integration
