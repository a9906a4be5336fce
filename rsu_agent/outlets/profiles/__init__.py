"""Records told to platforms that exist: pure mappings native record -> (topic, JSON), a file a platform."""
