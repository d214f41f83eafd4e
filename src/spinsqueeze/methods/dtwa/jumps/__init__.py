"""The stochastic stepper of open systems: drift by Runge-Kutta steps, noise between them."""
