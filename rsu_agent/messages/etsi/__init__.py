"""The messages of Europe: SPATEM, MAPEM, CAM and DENM in their ITS PDU headers."""
