// Package demo owns a day of the platform as it could have been, and the book that says afterwards what became of every record of it.
// It never sends a record itself and knows neither brokers nor consumers.
package demo
