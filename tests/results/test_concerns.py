"""Warnings of many points in few lines."""

from spinsqueeze.results.concerns import in_few_lines


def test_texts_that_differ_in_numbers_share_a_line_with_the_ranges_and_the_points():
    texts = [
        ["error 0.5 dB at 4 x 4, 1e-3 of 2^N"],
        ["error -0.8 dB at 4 x 4, 2e-5 of 2^N", "xi2 is small"],
        [],
        ["error 12 dB at 4 x 4, 1e-3 of 2^N", "xi2 is small", "xi3 is small"],
        ["error 3 dB at 4 x 4, 1e-3 of 2^N"],
    ]
    lines = in_few_lines(texts, what="points", place=lambda k: f"j_z = {k}")
    assert lines == [
        "4 of 5 points (j_z = 0; j_z = 1; j_z = 3; and 1 more): "
        "error -0.8 to 12 dB at 4 x 4, 2e-5 to 1e-3 of 2^N",
        "2 of 5 points (j_z = 1; j_z = 3): xi2 is small",
        "1 of 5 points (j_z = 3): xi3 is small",
    ]
    everywhere = in_few_lines([["step 1"], ["step 2", "step 3"]], what="points", place=str)
    assert everywhere == ["2 of 2 points: step 1 to 3"]
