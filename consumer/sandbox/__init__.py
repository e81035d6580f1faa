"""What the demo and the tests run on: embedded Kafka, a scripted SNS, a bank that talks."""
