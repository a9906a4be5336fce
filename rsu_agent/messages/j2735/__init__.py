"""The messages of America: SPAT and MAP in the MessageFrame of SAE J2735."""
