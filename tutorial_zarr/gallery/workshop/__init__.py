"""A workshop in a box: from a plan of lessons and minutes to a folder that installs without a network, slides, notes
for the teacher, and a board that shows who is how far.

    outline   what a lesson consists of: sections with their minutes, pictures, exercises
    plan      a plan, read from TOML; whether it fits its time, and when each part begins
    kit       the folder for the stick: wheels for each system, students' notebooks, site, slides, START_HERE
    verify    a learner's check before the day, its receipt, and the host's list of who is ready
    slides    one page of HTML with all pictures, questions and predictions
    notes     what the teacher says, asks, expects and leaves out, minute by minute
    board     the server in the room; `posting` is the learner's side of it
"""
