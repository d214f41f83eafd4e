"""Equations of motion as papers print them."""


def tucker_second_order(m, *, n, decay, local, chi, drive):
    """tucker2020_preprint (S12)-(S17) as printed: d/dt of means of products of sigma.

    <sigma_a sigma_z> b+ is read as <sigma_a^z sigma_b^+>.

    Args:
        m: from letters of distinct spins, "z+-", to the mean.
        n: number of spins.
        decay: collective rate Gamma.
        local: rate gamma_s.
        chi: exchange.
        drive: Omega.
    """
    minus, plus = decay - 2j * chi, decay + 2j * chi
    both = decay + local
    return {
        "+": -both / 2 * m("+")
        + (n - 1) / 2 * minus * m("z+")
        - 0.5j * drive * m("z")
        + 1j * chi * m("+"),
        "z+": -1.5 * both * m("z+")
        - both * m("+")
        - plus / 2 * m("+")
        - decay * m("z+")
        + (n - 2) / 2 * minus * m("zz+")
        - (n - 2) * plus * m("++-")
        - (n - 2) * minus * m("-++")
        - 0.5j * drive * (2 * (m("++") - m("-+")) + m("zz"))
        + 1j * chi * m("z+"),
        "z": -2j * chi * (n - 1) * (m("+-") - m("-+"))
        - decay * (n - 1) * (m("+-") + m("-+"))
        - both * (m("z") + 1)
        + 2 * drive * m("+").imag,
        "+-": (n - 2) / 2 * minus * m("z-+")
        + (n - 2) / 2 * plus * m("z+-")
        + decay / 2 * (m("zz") + m("z"))
        - both * m("+-")
        - drive * m("z+").imag,
        "zz": -2j * (n - 2) * chi * (m("+z-") - m("-z+")) * 2
        - 2 * (n - 2) * decay * (m("+z-") + m("-z+"))
        - 2 * both * m("z")
        - 2 * both * m("zz")
        + 4 * decay * m("+-").real
        + 4 * drive * m("z+").imag,
        "++": (n - 2) * minus * m("z++")
        - both * m("++")
        - 1j * drive * m("z+")
        + 2j * chi * m("++"),
    }
