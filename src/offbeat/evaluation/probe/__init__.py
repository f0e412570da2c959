"""Before a run: is the model shown that it hears and sees at all?"""
