from setuptools import find_packages, setup

PACKAGE = 'chefmate_sim'

setup(
    name=PACKAGE,
    version='0.1.0',
    packages=find_packages(exclude=['test']),
    data_files=[
        ('share/ament_index/resource_index/packages', [f'resource/{PACKAGE}']),
        (f'share/{PACKAGE}', ['package.xml']),
    ],
    install_requires=['setuptools'],
    extras_require={'test': ['pytest']},  # tells colcon to run pytest
    zip_safe=True,
    maintainer='ChefMate maintainers',
    maintainer_email='maintainers@chefmate.dev',
    description='The simulated kitchen.',
    license='MIT',
    entry_points={
        'chefmate.commands': ['sim = chefmate_sim.cli.commands:SIM'],
        'chefmate.benches': [
            'bus = chefmate_sim.cli.commands:BUS',
            'loop = chefmate_sim.cli.commands:LOOP',
            'recovery = chefmate_sim.cli.commands:RECOVERY',
        ],
        'chefmate.policies': ['expert = chefmate_sim.expert.policy:ExpertPolicy'],
        'console_scripts': [
            'kitchen_node = chefmate_sim.start:kitchen_node',
            'kitchen_camera_node = chefmate_sim.start:kitchen_camera_node',
            'twin_node = chefmate_sim.start:twin_node',
        ],
    },
)
