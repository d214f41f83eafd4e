"""The deterministic stepper: an embedded Runge-Kutta method with dense output."""
