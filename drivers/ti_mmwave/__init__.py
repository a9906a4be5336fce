"""Texas Instruments mmWave radars over UART."""
