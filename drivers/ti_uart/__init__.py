"""Texas Instruments mmWave radars over UART: a first, plain reading."""
